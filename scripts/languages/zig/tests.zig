//! Runs the tests from the one that the first argument numbers on, and says of each on a line of its own
//! how it has begun and ended. The second argument is "only" or "without": it says what the namespaces
//! that come after it are for.
const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const print = std.debug.print;
const Minimal = std.process.Init.Minimal;

pub const std_options: std.Options = .{ .logFn = log };

var logged: usize = 0;

pub fn main(init: Minimal) !void {
    var buffer: [4096]u8 = undefined;
    var space: std.heap.FixedBufferAllocator = .init(&buffer);
    const words = try init.args.toSlice(space.allocator());
    const first = try std.fmt.parseInt(usize, words[1], 10);
    const only = std.mem.eql(u8, words[2], "only");
    for (builtin.test_functions, 0..) |entry, number| {
        if (number < first or isWithin(entry.name, words[3..]) != only) continue;
        print("\n@@ begin {d} {s}\n", .{ number, entry.name });
        print("\n@@ {s} {d} {s}\n", .{ ran(init, entry.func), number, entry.name });
    }
    print("\n@@ end\n", .{});
}

fn isWithin(name: []const u8, namespaces: []const [:0]const u8) bool {
    const end = std.mem.indexOfScalar(u8, name, '.') orelse name.len;
    for (namespaces) |namespace| {
        if (std.mem.eql(u8, name[0..end], namespace)) return true;
    }
    return false;
}

fn ran(init: Minimal, function: *const fn () anyerror!void) []const u8 {
    testing.environ = init.environ;
    testing.log_level = .warn;
    testing.allocator_instance = .{};
    testing.io_instance = .init(testing.allocator, .{
        .argv0 = .init(init.args),
        .environ = init.environ,
    });
    logged = 0;
    const how = ended(function);
    testing.io_instance.deinit();
    if (testing.allocator_instance.deinit() == .leak) {
        print("It leaks memory.\n", .{});
        return "fail";
    }
    if (logged > 0) {
        print("It has logged errors.\n", .{});
        return "fail";
    }
    return how;
}

fn ended(function: *const fn () anyerror!void) []const u8 {
    function() catch |failure| {
        if (failure == error.SkipZigTest) return "skip";
        print("{t}\n", .{failure});
        if (@errorReturnTrace()) |trace| std.debug.dumpErrorReturnTrace(trace);
        return "fail";
    };
    return "pass";
}

fn log(
    comptime level: std.log.Level,
    comptime scope: @EnumLiteral(),
    comptime format: []const u8,
    words: anytype,
) void {
    if (level == .err) logged += 1;
    if (@intFromEnum(level) > @intFromEnum(testing.log_level)) return;
    print("({t}, {t}) " ++ format ++ "\n", .{ scope, level } ++ words);
}

/// A test that wants random input gets what is at hand for it, and none.
pub fn fuzz(
    context: anytype,
    comptime once: fn (context: @TypeOf(context), *testing.Smith) anyerror!void,
    options: testing.FuzzInputOptions,
) anyerror!void {
    for (options.corpus) |input| {
        var smith: testing.Smith = .{ .in = input };
        try once(context, &smith);
    }
    var smith: testing.Smith = .{ .in = "" };
    try once(context, &smith);
}
