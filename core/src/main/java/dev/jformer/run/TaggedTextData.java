package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Configuration of sentences with a tag for each word, on which a recogniser of named entities is
 * trained.
 *
 * @param source a file in the format of {@link dev.jformer.data.text.TaggedTexts}
 * @param heldOut a file of sentences to validate on; empty to hold out a share of the source
 * @param tokenizer as {@link TextData}'s
 * @param vocabulary as {@link TextData}'s
 * @param validation share of the sentences that is held out if there is no file of them
 */
@AutoService(DataConfig.class)
@RecordBuilder
public record TaggedTextData(
    String source, String heldOut, String tokenizer, int vocabulary, double validation)
    implements DataConfig, TaggedTextDataBuilder.With {
  /** Defaults: a vocabulary learned from the texts, a tenth held out. */
  public TaggedTextData() {
    this("", "", "bpe", 4096, 0.1);
  }

  /** Checks the values. */
  public TaggedTextData {
    Checks.notNull("heldOut", heldOut);
    Checks.atLeast("vocabulary", vocabulary, 1);
    Checks.part("validation", validation);
  }

  @Override
  public String type() {
    return "tagged-text";
  }

  @Override
  public List<Path> inputs() {
    List<Path> inputs = new ArrayList<>(DataConfig.super.inputs());
    if (!heldOut.isEmpty()) {
      inputs.add(Path.of(heldOut));
    }
    return inputs;
  }

  @Override
  public TaggedTextData withSource(String source) {
    return TaggedTextDataBuilder.With.super.withSource(source);
  }
}
