package dev.jformer.data.incontext;

import com.google.auto.service.AutoService;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Disjunctions, such as "x2 or not x5", of <a href="https://arxiv.org/abs/2310.03016">Understanding
 * In-Context Learning in Transformers and LLMs by Learning to Learn Discrete Functions</a>:
 * {@linkplain Conjunctions conjunctions} with all inputs and outputs negated. With {@code relevant}
 * = 4 they are the paper's sparse disjunctions.
 *
 * @param inputs n
 * @param literals the probability that an input matters, negated or not
 * @param relevant the number of inputs that matter; 0 to draw it by {@code literals}
 * @param forced the share of examples that are made negative
 * @param monotone whether no input is negated
 * @param teaching whether prompts begin with a teaching sequence
 */
@AutoService(FunctionClass.class)
public record Disjunctions(
    int inputs, double literals, int relevant, double forced, boolean monotone, boolean teaching)
    implements FunctionClass {
  /** Defaults: 10 inputs, of which three in ten matter; three in ten examples are made negative. */
  public Disjunctions() {
    this(10, 0.3, 0, 0.3, false, false);
  }

  /** Checks the values. */
  public Disjunctions {
    negated(inputs, literals, relevant, forced, monotone, teaching);
  }

  private static Conjunctions negated(
      int inputs,
      double literals,
      int relevant,
      double forced,
      boolean monotone,
      boolean teaching) {
    return new Conjunctions(inputs, literals, relevant, forced, monotone, teaching);
  }

  @Override
  public String type() {
    return "disjunction";
  }

  @Override
  public boolean isBoolean() {
    return true;
  }

  @Override
  public void draw(Prompts prompts, int row, SplittableRandom random, boolean heldOut) {
    negated(inputs, literals, relevant, forced, monotone, teaching)
        .draw(prompts, row, random, heldOut);
    Negation.apply(prompts, row);
  }

  @Override
  public List<Learner> learners() {
    return List.of(
        new NegatedLearner(new EliminationLearner()),
        new NeighboursLearner(1),
        new FrequentLabelLearner());
  }
}
