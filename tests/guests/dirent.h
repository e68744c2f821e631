/* Reading fd_readdir's entries. Include after check.h. */
#ifndef DIRENT_H
#define DIRENT_H

#define HEADER 24

typedef struct {
  u64 next, ino;
  u32 name_length;
  u8 type;
  const char *name;
  size_t size; /* of the entry with its name */
} entry_t;

/* The specification's layout; false when fewer bytes are left than the entry has. */
static inline bool parse_entry(const u8 *at, size_t left, entry_t *entry) {
  if (left < HEADER) return false;
  memcpy(&entry->next, at, 8);
  memcpy(&entry->ino, at + 8, 8);
  memcpy(&entry->name_length, at + 16, 4);
  entry->type = at[20];
  entry->name = (const char *)at + HEADER;
  entry->size = HEADER + entry->name_length;
  return left >= entry->size;
}

static inline bool is_named(const entry_t *entry, const char *name) {
  return entry->name_length == strlen(name) && memcmp(entry->name, name, entry->name_length) == 0;
}

static inline const char *name_of(const entry_t *entry) {
  static char kept[8][260];
  static u32 turn;
  char *to = kept[turn++ % 8];
  size_t length = entry->name_length < 259 ? entry->name_length : 259;
  memcpy(to, entry->name, length);
  to[length] = 0;
  return to;
}

#endif
