package dev.jformer.data.label;

import dev.jformer.data.algorithm.Example;
import dev.jformer.data.algorithm.Examples;
import dev.jformer.data.algorithm.Labelling;
import dev.jformer.program.LabelKind;
import dev.jformer.program.LabelScheme;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Sequences of a problem, which are made as they are needed. */
public final class MadeSequences implements LabelledSequences {
  private final Labelling problem;
  private final long seed;
  private final LabelScheme scheme;
  private final Map<String, Integer> tokens;
  private final Map<String, Integer> labels;
  private final Examples examples;
  private final List<LabelledSequence> heldOut;

  /**
   * Creates the sequences.
   *
   * @param samples number of different sequences to learn from; 0 for new ones always
   * @param batch sequences in a batch
   * @param seed by which they are drawn
   * @param heldOut number of sequences to evaluate on
   * @throws dev.jformer.data.DataException if the problem has too few different ones
   */
  public MadeSequences(Labelling problem, int samples, int batch, long seed, int heldOut) {
    this.problem = problem;
    this.seed = seed;
    this.scheme = scheme(problem);
    this.tokens = places(scheme.tokens());
    this.labels = places(scheme.labels());
    this.examples = new Examples(problem, samples, batch, seed);
    this.heldOut = encoded(examples.heldOut(heldOut));
  }

  /** What sequences of a problem consist of. */
  public static LabelScheme scheme(Labelling problem) {
    return new LabelScheme(
        problem.tokens(),
        problem.labels(),
        problem.longest(),
        problem.isCausal(),
        LabelKind.TOKENS);
  }

  private static Map<String, Integer> places(List<String> names) {
    Map<String, Integer> places = new HashMap<>();
    names.forEach(name -> places.put(name, places.size()));
    return places;
  }

  /** An example as a model reads it. */
  public LabelledSequence encoded(Example example) {
    return new LabelledSequence(
        example.prompt().stream().mapToInt(tokens::get).toArray(),
        example.answer().stream()
            .mapToInt(
                label -> label.equals(Labelling.NONE) ? LabelledSequence.NONE : labels.get(label))
            .toArray());
  }

  private List<LabelledSequence> encoded(List<Example> some) {
    return some.stream().map(this::encoded).toList();
  }

  @Override
  public LabelScheme scheme() {
    return scheme;
  }

  @Override
  public int batch() {
    return examples.batch();
  }

  @Override
  public int samples() {
    return examples.samples();
  }

  @Override
  public List<LabelledSequence> training(long index) {
    return encoded(examples.training(index));
  }

  @Override
  public List<LabelledSequence> heldOut() {
    return heldOut;
  }

  /** Sequences of a stream that no training reaches. */
  @Override
  public List<LabelledSequence> typical(int most) {
    return encoded(new Examples(problem, 0, most, seed).training(Long.MAX_VALUE));
  }
}
