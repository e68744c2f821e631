//! What the tests of std.crypto call: the package has an empty file in its place.
const std = @import("std");

/// Fails unless the hash of the input is what these hexadecimal digits say.
pub fn assertEqualHash(
    comptime Hash: anytype,
    comptime digits: []const u8,
    input: []const u8,
) !void {
    var hash: [digits.len / 2]u8 = undefined;
    Hash.hash(input, &hash, .{});
    try assertEqual(digits, &hash);
}

/// Fails unless the bytes are what these hexadecimal digits say.
pub fn assertEqual(comptime digits: []const u8, bytes: []const u8) !void {
    var wanted: [digits.len / 2]u8 = undefined;
    _ = try std.fmt.hexToBytes(&wanted, digits);
    try std.testing.expectEqualSlices(u8, &wanted, bytes);
}
