package dev.jformer.program;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** The words that a program reads and their codes, as lines of text. */
final class Dictionary {
  /** The most bytes of a string constant, well below the 65,535 of a class file. */
  private static final int MOST = 60_000;

  private final List<Step.Lookup> lookups;
  private final List<String> lines = new ArrayList<>();

  Dictionary(DiscreteProgram program) {
    lookups =
        program.steps().stream()
            .filter(Step.Lookup.class::isInstance)
            .map(Step.Lookup.class::cast)
            .toList();
    for (int token = 0; token < program.tokens().size(); token++) {
      StringBuilder line = new StringBuilder();
      for (Step.Lookup lookup : lookups) {
        line.append(lookup.codes()[token]).append(' ');
      }
      lines.add(line.append(program.tokens().get(token)).toString());
    }
  }

  /** The number of codes before a word. */
  int columns() {
    return lookups.size();
  }

  /** Where in a line the code of a step stands. */
  int column(Step.Lookup lookup) {
    return lookups.indexOf(lookup);
  }

  /** The names of the codes, as a sentence has them. */
  String names() {
    return lookups.isEmpty()
        ? "the word"
        : lookups.stream().map(Step.Lookup::name).collect(Collectors.joining(", "))
            + ", and the word";
  }

  /** The lines as they are written, in pieces that a class file can hold as constants. */
  List<String> pieces(UnaryOperator<String> escaped, String indent) {
    List<String> pieces = new ArrayList<>();
    StringBuilder piece = new StringBuilder();
    int bytes = 0;
    for (String line : lines) {
      int more = line.chars().map(c -> c == 0 || c > 127 ? 3 : 1).sum() + 1;
      if (bytes + more > MOST) {
        pieces.add(piece.toString());
        piece.setLength(0);
        bytes = 0;
      }
      bytes += more;
      piece.append(indent).append(escaped.apply(line)).append('\n');
    }
    pieces.add(piece.toString());
    return pieces;
  }
}
