// Collections, exceptions, coroutines, time and random numbers.
import kotlin.random.Random
import kotlin.time.Duration.Companion.seconds
import kotlin.time.measureTime

data class Pair2(val number: Int, val text: String)

sealed interface Shape
data class Square(val side: Double) : Shape
data object Point : Shape

fun area(shape: Shape) = when (shape) {
    is Square -> shape.side * shape.side
    Point -> 0.0
}

fun main() {
    println(listOf(Pair2(1, "ä"), Pair2(2, "🦀")).associateBy { it.text })
    println(listOf(Square(1.5), Point).sumOf { area(it) })
    try {
        error("boom")
    } catch (e: IllegalStateException) {
        println("caught ${e.message}")
    } finally {
        println("finally")
    }
    println(runCatching { listOf(1)[1] }.exceptionOrNull() is IndexOutOfBoundsException)
    println(sequence { var a = 1; while (true) { yield(a); a *= 2 } }.take(10).joinToString())
    println((1..20).fold(1L) { product, n -> product * n })
    println(measureTime { (1..1000).shuffled(Random.Default) } < 60.seconds)
    println(Random(1).nextInt() == Random(1).nextInt())
}
