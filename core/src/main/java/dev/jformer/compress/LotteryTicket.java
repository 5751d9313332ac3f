package dev.jformer.compress;

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
    Exchange.expectPlain("lottery-ticket", start.config());
    Model model = Exchange.rebuilt(start, start.config());
    try (Scope scope = Scope.open()) {
      double density = 1;
      for (int round = 0; round <= rounds; round++) {
        model.train(true);
        training.accept(model);
        model.train(false);
        try (Mode mode = Autograd.noGrad()) {
          observer.trained(round, model);
          if (round < rounds) {
            density *= 1 - rate;
            Model next = next(start, model, density);
            model.close();
            model = next;
          }
        }
      }
    } finally {
      model.close();
    }
  }

  private Model next(Model start, Model trained, double density) {
    try (Scope scope = Scope.open()) {
      return Masks.highest(Magnitude.sizes(trained), density, reach).applied(start);
    }
  }
}
