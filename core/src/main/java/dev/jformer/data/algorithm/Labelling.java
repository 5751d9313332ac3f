package dev.jformer.data.algorithm;

import java.util.List;

/**
 * A problem that gives each symbol of a prompt a label: prompt and answer have the same length.
 * Programs and token classifiers learn it; a causal language model can, too.
 */
public interface Labelling extends Problem {
  /** Stands where a symbol has no label. It is no label. */
  String NONE = "-";

  /** The symbols of prompts, each once. */
  List<String> tokens();

  /** The labels, each once. */
  List<String> labels();

  /** The most symbols of a prompt. */
  int longest();

  /** Whether a label depends on the symbols before it and its own only. */
  boolean isCausal();
}
