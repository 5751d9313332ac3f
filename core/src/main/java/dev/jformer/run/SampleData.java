package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * Configuration of the samples that a language model is fine-tuned on.
 *
 * @param source a JSONL file with, in each line, an object with the field messages, or with prompt
 *     and completion, or text; or prompt, chosen and rejected in all lines, to learn preferences
 * @param validation share of the samples that is held out, drawn at random
 * @param length the most tokens of a sample, longer ones are cut; 0 for the most that the model
 *     takes
 * @param packing whether a row of a batch holds several samples, as many as fit into {@code length}
 *     tokens; none sees another. {@code training.batch} then counts rows
 * @param beta how strongly a model that learns preferences is held to what it was
 */
@AutoService(DataConfig.class)
@RecordBuilder
public record SampleData(String source, double validation, int length, boolean packing, double beta)
    implements DataConfig, SampleDataBuilder.With {
  /** Defaults: a tenth held out, samples of up to 512 tokens. */
  public SampleData() {
    this("", 0.1, 512, false, 0.1);
  }

  /** Checks the values. */
  public SampleData {
    Checks.part("validation", validation);
    Checks.atLeast("length", length, 0);
    Checks.moreThan("beta", beta, 0);
  }

  @Override
  public String type() {
    return "samples";
  }

  @Override
  public SampleData withSource(String source) {
    return SampleDataBuilder.With.super.withSource(source);
  }
}
