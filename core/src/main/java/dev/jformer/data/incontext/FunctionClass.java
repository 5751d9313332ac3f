package dev.jformer.data.incontext;

import dev.jformer.config.Part;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A class of functions to be learned in context (<a href="https://arxiv.org/abs/2208.01066">What
 * Can Transformers Learn In-Context? A Case Study of Simple Function Classes</a>). Each prompt has
 * a function of its own, and examples (x, y) of it. A class of your own is a record with
 * {@code @AutoService(FunctionClass.class)}.
 */
public interface FunctionClass extends Part {
  /** n, the number of inputs of a function. */
  int inputs();

  /** Whether inputs and outputs are -1 or 1. */
  boolean isBoolean();

  /**
   * Draws a function, and writes examples of it into a row of prompts.
   *
   * @param heldOut whether the function is one to evaluate on; classes with so few functions that
   *     the same ones would be drawn again keep some for that, all others draw either kind alike
   */
  void draw(Prompts prompts, int row, SplittableRandom random, boolean heldOut);

  /** Classical solvers for this class, best first, and controls that do not learn from inputs. */
  List<Learner> learners();

  /**
   * The number of examples before which no output can be known, because labels are drawn at random.
   */
  default int firstKnown() {
    return 0;
  }
}
