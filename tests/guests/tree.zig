//! A tree of files through Zig's standard library, which calls WASI itself, without wasi-libc:
//! created, written, walked, stat'ed, renamed and deleted. Files are opened by paths from the preopen:
//! Zig opens directories with too few inheriting rights to open files through them (wasmtime, which
//! knows no rights, lets it pass).
const std = @import("std");
const Io = std.Io;

var failures: u32 = 0;
var output: *Io.Writer = undefined;

fn isTrue(sentence: []const u8, value: bool) !void {
    if (value) return output.print("ok {s}\n", .{sentence});
    failures += 1;
    try output.print("not ok {s}: expected true, got false\n", .{sentence});
}

fn equals(sentence: []const u8, got: u64, expected: u64) !void {
    if (got == expected) return output.print("ok {s}\n", .{sentence});
    failures += 1;
    try output.print("not ok {s}: expected {d}, got {d}\n", .{ sentence, expected, got });
}

fn fails(sentence: []const u8, result: anytype, expected: anyerror) !void {
    if (result) |_| {
        failures += 1;
        try output.print("not ok {s}: expected {t}, got success\n", .{ sentence, expected });
    } else |err| {
        if (err == expected) return output.print("ok {s}\n", .{sentence});
        failures += 1;
        try output.print("not ok {s}: expected {t}, got {t}\n", .{ sentence, expected, err });
    }
}

const Count = struct { files: u32 = 0, directories: u32 = 0, bytes: u64 = 0 };

fn walk(dir: Io.Dir, io: Io, gpa: std.mem.Allocator) !Count {
    var count: Count = .{};
    var walker = try dir.walk(gpa);
    defer walker.deinit();
    while (try walker.next(io)) |entry| switch (entry.kind) {
        .directory => count.directories += 1,
        .file => {
            count.files += 1;
            count.bytes += (try entry.dir.statFile(io, entry.basename, .{})).size;
        },
        else => return error.Unexpected,
    };
    return count;
}

pub fn main(init: std.process.Init) !void {
    const io = init.io;
    const gpa = init.gpa;
    var buffer: [1024]u8 = undefined;
    var stdout = Io.File.stdout().writerStreaming(io, &buffer);
    output = &stdout.interface;

    const root = Io.Dir.cwd();
    try root.createDirPath(io, "tree/a/b/c");
    for (0..100) |i| {
        var name: [64]u8 = undefined;
        var content: [64]u8 = undefined;
        const dir = ([_][]const u8{ "tree/", "tree/a/", "tree/a/b/", "tree/a/b/c/" })[i % 4];
        try root.writeFile(io, .{
            .sub_path = try std.fmt.bufPrint(&name, "{s}file-{d}", .{ dir, i }),
            .data = try std.fmt.bufPrint(&content, "content {d}", .{i}),
        });
    }
    const tree = try root.openDir(io, "tree", .{ .iterate = true });
    const count = try walk(tree, io, gpa);
    try equals("a walk finds 100 files", count.files, 100);
    try equals("a walk finds three directories", count.directories, 3);
    try equals("a walk finds the bytes written", count.bytes, 990);

    var content: [64]u8 = undefined;
    try isTrue("a file is read", std.mem.eql(u8, try root.readFile(io, "tree/a/b/c/file-99", &content), "content 99"));
    try tree.rename("a/b", tree, "moved", io);
    try isTrue("a directory is renamed", std.mem.eql(u8, try root.readFile(io, "tree/moved/c/file-99", &content), "content 99"));
    try fails("its old name is gone", root.openDir(io, "tree/a/b", .{}), error.FileNotFound);
    try fails("a file is no directory", root.openDir(io, "tree/file-0", .{}), error.NotDir);
    try fails("a directory that is not empty is not deleted", root.deleteDir(io, "tree/moved"), error.DirNotEmpty);
    // notcapable is AccessDenied to Zig, perm is PermissionDenied.
    try isTrue("nothing is above the preopen", if (root.openDir(io, "..", .{})) |_| false else |err|
        err == error.AccessDenied or err == error.PermissionDenied);

    const file = try root.createFile(io, "tree/positions", .{ .read = true });
    var many: [8192]u8 = undefined;
    for (&many, 0..) |*byte, i| byte.* = @truncate(i *% 31);
    try file.writePositionalAll(io, &many, 5000);
    var back: [8192]u8 = undefined;
    try equals("a file is read at a position", try file.readPositionalAll(io, &back, 5000), 8192);
    try isTrue("with the bytes written there", std.mem.eql(u8, &many, &back));
    try equals("and is as long as both", (try file.stat(io)).size, 13192);
    file.close(io);

    try root.symLink(io, "file-0", "tree/link", .{});
    try isTrue("a link is read", std.mem.eql(u8, content[0..try root.readLink(io, "tree/link", &content)], "file-0"));
    tree.close(io);
    try root.deleteTree(io, "tree");
    try fails("a whole tree is deleted", root.openDir(io, "tree", .{}), error.FileNotFound);
    try root.writeFile(io, .{ .sub_path = "left", .data = "by Zig" });

    try output.flush();
    if (failures > 0) std.process.exit(1);
}
