package dev.jformer.data.algorithm;

import java.util.List;

/**
 * A problem that gives each prompt one of a few classes: its answer is one symbol. Encoders that
 * classify sequences learn it; a causal language model can, too.
 */
public interface Classified extends Problem {
  /** The symbols of prompts, each once. */
  List<String> tokens();

  /** The classes, each once. */
  List<String> classes();

  /** The most symbols of a prompt. */
  int longest();

  @Override
  default List<String> symbols() {
    return Symbols.join(List.of(END), tokens(), classes()).stream().distinct().toList();
  }

  @Override
  default int mostSymbols() {
    return longest() + 2;
  }
}
