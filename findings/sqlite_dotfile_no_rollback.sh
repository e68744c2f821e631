#!/bin/sh
# SQLite undoes a transaction that a killed process has left half written: the next process finds the
# journal and copies the old pages back. With the VFS "unix-dotfile" it does not. The database stays half
# written, integrity_check lists the damage, and no call returns an error. This is the VFS that SQLite itself
# chooses when it is built for WASI (SQLITE_DEFAULT_UNIX_VFS in os_unix.c, under SQLITE_WASI).
#
# Before it uses a journal SQLite asks whether another process holds a reserved lock. unix-dotfile has one
# lock for everything, a directory, and answers yes because of the shared lock that the same connection has
# just taken. The lock of the killed process has to be removed by hand first (rmdir); that is documented. With
# "unix-none", and with "unix", the same steps give back all rows.
#
# Seen with sqlite3 3.40.1-2+deb12u2 from Debian, and with 3.46.1 built from Debian's source, natively and for
# WASI. SQLite 3.53.4, which Node 26.10.0 contains, does roll back.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
version=3.40.1-2+deb12u2
apt-get -q download "sqlite3=$version" "libsqlite3-0=$version" > /dev/null 2>&1
for package in *.deb; do dpkg -x "$package" .; done
LD_LIBRARY_PATH=$(echo "$folder"/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH
sqlite=$folder/usr/bin/sqlite3
"$sqlite" -version

steps() {
  vfs=$1
  mkdir "$vfs"
  cd "$vfs"
  "$sqlite" -batch -vfs "$vfs" a.db "create table t(a integer primary key, b);
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000)
    insert into t select i, randomblob(500) from n;"
  # with a small cache, pages go to the file before the transaction ends
  "$sqlite" -batch -vfs "$vfs" a.db "pragma cache_size = 10; begin;
    update t set b = zeroblob(600) where a % 2 = 0; delete from t where a % 7 = 0;
    select writefile('written', '');
    with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n;" > /dev/null &
  process=$!
  while [ ! -e written ]; do sleep 0.1; done
  kill -9 "$process"
  wait "$process" 2> /dev/null || true
  test -s a.db-journal
  if [ -d a.db.lock ]; then rmdir a.db.lock; fi
  rows=$("$sqlite" -batch -vfs "$vfs" a.db "select count(*) from t")
  check=$("$sqlite" -batch -vfs "$vfs" a.db "pragma integrity_check(1)" | head -n 1)
  echo "$vfs: $rows of 2000 rows, integrity_check: $check"
  cd ..
}

steps unix
test "$rows $check" = "2000 ok"
steps unix-none
test "$rows $check" = "2000 ok"
steps unix-dotfile
test "$rows" -lt 2000
test "$check" != ok
echo "as described"
