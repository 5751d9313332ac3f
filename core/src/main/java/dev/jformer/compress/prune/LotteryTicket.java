package dev.jformer.compress.prune;

import dev.jformer.compress.ModelRebuilder;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import java.util.function.Consumer;

/**
 * Iterative magnitude pruning with rewinding (arXiv 1803.03635, 1903.01611): a model is trained,
 * the smallest of its weights are left out, those that stay go back to what they were at the start,
 * and so on. What remains, a lottery ticket, is trained from there once more in each round.
 *
 * @param rounds how often weights are left out
 * @param rate the share of the remaining weights that a round leaves out
 * @param reach whether the smallest of the model are left out, or of each layer
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

  /** Is shown the model of each round. */
  public interface Observer {
    /**
     * After a training.
     *
     * @param round from 0, for the model of all weights
     * @param model trained, in inference; it is released after this
     */
    void trained(int round, Model model);
  }

  /**
   * Runs all rounds.
   *
   * @param start the weights that those that stay go back to, with plain layers; left as it is
   * @param training trains a model, the same way each time
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
   * What is trained in a round: what stays of the weights at the start, zeros elsewhere.
   *
   * @param start the weights that those that stay go back to, with plain layers
   * @param trained the model of the round before
   * @param round from 1
   * @return in inference, sparse
   */
  public Model ticket(Model start, Model trained, int round) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      double density = Math.pow(1 - rate, round);
      return Masks.highest(Magnitude.sizes(trained), density, reach).applied(start);
    }
  }
}
