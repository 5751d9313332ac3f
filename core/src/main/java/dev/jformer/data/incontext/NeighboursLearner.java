package dev.jformer.data.incontext;

import dev.jformer.config.Checks;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * The mean output of the nearest examples by Euclidean distance, of all if there are fewer; the
 * earlier one is nearer where distances are equal. Zero before the first example.
 *
 * @param neighbours k
 */
public record NeighboursLearner(int neighbours) implements Learner {
  /** Checks the values. */
  public NeighboursLearner {
    Checks.atLeast("neighbours", neighbours, 1);
  }

  @Override
  public String name() {
    return neighbours == 1 ? "nearest neighbour" : neighbours + " nearest neighbours";
  }

  @Override
  public Run start(int inputs) {
    return new RememberingRun() {
      @Override
      public double predict(double[] x) {
        double[] distances = new double[count()];
        for (int i = 0; i < distances.length; i++) {
          double[] other = input(i);
          for (int j = 0; j < x.length; j++) {
            distances[i] += (x[j] - other[j]) * (x[j] - other[j]);
          }
        }
        Integer[] order = IntStream.range(0, count()).boxed().toArray(Integer[]::new);
        Arrays.sort(order, Comparator.comparingDouble(i -> distances[i]));
        int taken = Math.min(neighbours, order.length);
        double sum = 0;
        for (int i = 0; i < taken; i++) {
          sum += output(order[i]);
        }
        return taken == 0 ? 0 : sum / taken;
      }
    };
  }
}
