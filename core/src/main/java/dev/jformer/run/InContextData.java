package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.config.FormerNames;
import dev.jformer.data.incontext.FunctionClass;
import dev.jformer.data.incontext.LinearFunctions;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * Configuration of prompts with examples of functions, which are made as they are needed.
 *
 * @param functions the class of functions; may be set as {@code class}
 * @param examples T, examples in a prompt
 * @param heldOut number of prompts to evaluate on
 */
@AutoService(DataConfig.class)
@RecordBuilder
public record InContextData(
    @FormerNames("class") FunctionClass functions, int examples, int heldOut)
    implements MadeDataConfig, InContextDataBuilder.With {
  /** Defaults: prompts of 40 examples of linear functions, of which 500 are evaluated. */
  public InContextData() {
    this(new LinearFunctions(), 40, 500);
  }

  /** Checks the values. */
  public InContextData {
    Checks.notNull("functions", functions);
    Checks.between("examples", examples, 1, 100_000);
    Checks.between("heldOut", heldOut, 1, 1_000_000);
  }

  @Override
  public String type() {
    return "in-context";
  }
}
