// D without its library: templates, slices, mixins, and functions of C.
extern (C) int printf(const char*, ...);

template sum(numbers...) {
    static if (numbers.length == 0)
        enum sum = 0;
    else
        enum sum = numbers[0] + sum!(numbers[1 .. $]);
}

// what C's library calls
pragma(mangle, "__main_argc_argv") extern (C) int run(int argc, char** argv) {
    int[5] squares;
    foreach (i, ref square; squares)
        square = cast(int)(i * i);
    int total;
    foreach (square; squares[1 .. $])
        total += square;
    enum compiled = sum!(1, 2, 39);
    printf("%d %d %s\n", total, compiled, argv[1]);
    return argc;
}
