package dev.jformer.data.algorithm;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Lists of symbols. */
final class Symbols {
  private Symbols() {}

  /** The characters of a text. */
  static List<String> characters(String text) {
    return text.codePoints().mapToObj(Character::toString).toList();
  }

  /** {@link Problem#END} and each different character of a text. */
  static List<String> ofCharacters(String text) {
    return Stream.concat(Stream.of(Problem.END), characters(text).stream()).distinct().toList();
  }

  /** The numbers from {@code from} to {@code to}, the latter excluded. */
  static List<String> numbers(int from, int to) {
    return IntStream.range(from, to).mapToObj(Integer::toString).toList();
  }

  @SafeVarargs
  static List<String> join(List<String>... parts) {
    List<String> all = new ArrayList<>();
    for (List<String> part : parts) {
      all.addAll(part);
    }
    return all;
  }

  /** What follows the last occurrence of a symbol; all if there is none. */
  static List<String> afterLast(List<String> symbols, String separator) {
    return symbols.subList(symbols.lastIndexOf(separator) + 1, symbols.size());
  }

  /** The numbers as symbols. */
  static List<String> of(int[] numbers) {
    List<String> symbols = new ArrayList<>(numbers.length);
    for (int number : numbers) {
      symbols.add(Integer.toString(number));
    }
    return symbols;
  }
}
