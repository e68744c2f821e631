const std = @import("std");

pub fn sum(n: u64) u64 {
    var total: u64 = 0;
    var i: u64 = 0;
    while (i < n) : (i += 1) total += i;
    return total;
}

test "sums" {
    try std.testing.expectEqual(@as(u64, 45), sum(10));
}

test "a directory for tests" {
    const io = std.testing.io;
    var tmp = std.testing.tmpDir(.{});
    defer tmp.cleanup();
    try tmp.dir.writeFile(io, .{ .sub_path = "file", .data = "text" });
    var buffer: [10]u8 = undefined;
    const read = try tmp.dir.readFile(io, "file", &buffer);
    try std.testing.expectEqualStrings("text", read);
}

test "fails" {
    try std.testing.expectEqual(@as(u64, 46), sum(10));
}

pub fn main() !void {
    std.debug.print("{d}\n", .{sum(1000)});
}
