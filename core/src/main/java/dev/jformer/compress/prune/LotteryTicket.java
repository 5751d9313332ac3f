package dev.jformer.compress.prune;

import dev.jformer.compress.ModelRebuilder;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;

/**
 * Iterative magnitude pruning with rewinding (<a href="https://arxiv.org/abs/1803.03635">The
 * Lottery Ticket Hypothesis: Finding Sparse, Trainable Neural Networks</a> and <a
 * href="https://arxiv.org/abs/1903.01611">Stabilizing the Lottery Ticket Hypothesis</a>): a model
 * is trained, its smallest weights are removed, the others are reset to their initial values, and
 * the remaining network, a lottery ticket, is trained again; and so on.
 *
 * @param rounds number of prunings
 * @param rate the share of the remaining weights that a round removes
 * @param reach whether the smallest weights of the model are removed, or those of each layer
 */
public record LotteryTicket(int rounds, double rate, Masks.Reach reach) {
  /** Checks the values. */
  public LotteryTicket {
    if (rounds < 1 || !(rate > 0 && rate < 1) || reach == null) {
      throw new IllegalArgumentException(
          "rounds is "
              + rounds
              + ", rate is "
              + rate
              + " and reach is "
              + reach
              + ": expected at least one round, a rate in (0, 1) and a reach");
    }
  }

  /** Receives the model of each round. */
  public interface Observer {
    /**
     * Called after each training.
     *
     * @param round from 0, which is the model with all weights
     * @param model the trained model, in inference mode; it is released afterwards
     */
    void trained(int round, Model model);
  }

  /**
   * Runs all rounds.
   *
   * @param start the model with the initial weights, with plain layers; it is not changed
   * @param training trains a model, in the same way each time
   */
  public void run(Model start, Consumer<Model> training, Observer observer) {
    ModelRebuilder.expectPlain("lottery-ticket", start.config());
    Model model = ModelRebuilder.rebuilt(start, start.config());
    try (Scope scope = Scope.open()) {
      for (int round = 0; round <= rounds; round++) {
        model.train(true);
        training.accept(model);
        model.train(false);
        try (Mode mode = Autograd.noGrad()) {
          observer.trained(round, model);
          if (round < rounds) {
            Model next = ticket(start, model, round + 1);
            model.close();
            model = next;
          }
        }
      }
    } finally {
      model.close();
    }
  }

  /**
   * Runs all rounds and measures the tickets.
   *
   * @param loss of a trained model, which is in inference mode
   * @return the loss by sparsity, relative to that of the model with all weights
   */
  public SparsityCurve curve(Model start, Consumer<Model> training, ToDoubleFunction<Model> loss) {
    List<Double> sparsities = new ArrayList<>();
    List<Double> losses = new ArrayList<>();
    run(
        start,
        training,
        (round, model) -> {
          sparsities.add(round == 0 ? 0 : 1 - Masks.of(model).density());
          losses.add(loss.applyAsDouble(model));
        });
    return new SparsityCurve(
        sparsities, losses.stream().map(each -> each / losses.get(0) - 1).toList());
  }

  /**
   * Creates the lottery ticket of a round: the initial values of the remaining weights.
   *
   * @param start the model with the initial weights, with plain layers
   * @param trained the trained model of the round before
   * @param round from 1
   * @return a sparse model, in inference mode
   */
  public Model ticket(Model start, Model trained, int round) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      double density = Math.pow(1 - rate, round);
      return Magnitude.highest(start, Magnitude.sizes(trained), density, reach).applied(start);
    }
  }
}
