package dev.jformer.data.incontext;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The task of the nearest neighbour, of <a href="https://arxiv.org/abs/2310.03016">Understanding
 * In-Context Learning in Transformers and LLMs by Learning to Learn Discrete Functions</a>: the
 * first examples have random labels, later ones that of the most similar example before them, the
 * earliest of those that are equally similar.
 *
 * @param inputs n
 * @param labelled the number of examples with random labels
 */
@AutoService(FunctionClass.class)
public record NearestNeighbours(int inputs, int labelled) implements FunctionClass {
  /** Defaults: 10 inputs, 10 random labels. */
  public NearestNeighbours() {
    this(10, 10);
  }

  /** Checks the values. */
  public NearestNeighbours {
    Checks.between("inputs", inputs, 1, Draws.MOST_INPUTS);
    Checks.between("labelled", labelled, 1, 1_000_000);
  }

  @Override
  public String type() {
    return "nearest-neighbour";
  }

  @Override
  public boolean isBoolean() {
    return true;
  }

  @Override
  public int firstKnown() {
    return labelled;
  }

  @Override
  public void draw(Prompts prompts, int row, SplittableRandom random, boolean heldOut) {
    if (prompts.length() <= labelled) {
      throw new IllegalArgumentException(
          "prompts have "
              + prompts.length()
              + " examples, but the first "
              + labelled
              + " have random labels: expected more examples (raise data.examples)");
    }
    double[][] seen = new double[prompts.length()][];
    for (int t = 0; t < seen.length; t++) {
      seen[t] = Draws.signs(inputs, random);
      prompts.setInput(row, t, seen[t]);
      boolean on = random.nextBoolean();
      prompts.setOutput(row, t, t < labelled ? (on ? 1 : -1) : nearest(prompts, row, seen, t));
    }
  }

  private static double nearest(Prompts prompts, int row, double[][] seen, int t) {
    int best = 0;
    for (int i = 1; i < t; i++) {
      if (Draws.dot(seen[i], seen[t]) > Draws.dot(seen[best], seen[t])) {
        best = i;
      }
    }
    return prompts.output(row, best);
  }

  @Override
  public List<Learner> learners() {
    return List.of(new NeighboursLearner(1), new PerceptronLearner(), new FrequentLabelLearner());
  }
}
