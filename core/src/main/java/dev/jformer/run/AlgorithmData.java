package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.data.algorithm.Arithmetic;
import dev.jformer.data.algorithm.Problem;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * Configuration of examples of a problem, which are made as they are needed.
 *
 * @param problem the problem
 * @param samples number of different examples to train on; 0 for new ones always
 * @param heldOut number of examples to evaluate on; their prompts are never trained on
 * @param prompts whether the model learns to predict the prompts too, or the answers only
 * @param packed whether rows of {@code model.length} symbols are filled with examples, one behind
 *     the other, or each example has a row of its own
 */
@AutoService(DataConfig.class)
@RecordBuilder
public record AlgorithmData(
    Problem problem, int samples, int heldOut, boolean prompts, boolean packed)
    implements MadeDataConfig, AlgorithmDataBuilder.With {
  /** Defaults: endless additions, of which 500 are evaluated; only answers are learned. */
  public AlgorithmData() {
    this(new Arithmetic(), 0, 500, false, false);
  }

  /** Checks the values. */
  public AlgorithmData {
    Checks.notNull("problem", problem);
    Checks.atLeast("samples", samples, 0);
    Checks.atLeast("heldOut", heldOut, 1);
  }

  @Override
  public String type() {
    return "algorithm";
  }
}
