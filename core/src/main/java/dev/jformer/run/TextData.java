package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.List;

/**
 * Configuration of the text that a language model is trained on.
 *
 * @param source a file, folder, or zip or jar file; empty if none is set
 * @param endings the file name endings to include from a folder or zip file; empty for all files
 * @param tokenizer {@code byte}, or the way to learn a vocabulary from the text ({@code bpe},
 *     {@code wordpiece}, {@code unigram}, {@code likelihood} or {@code lzw}), or the path of a
 *     {@code tokenizer.json}
 * @param vocabulary the number of tokens to learn
 * @param validation share of the text, at its end, that is held out
 */
@AutoService(DataConfig.class)
@RecordBuilder
public record TextData(
    String source, List<String> endings, String tokenizer, int vocabulary, double validation)
    implements DataConfig, TextDataBuilder.With {
  /** Defaults: bytes, a tenth held out. */
  public TextData() {
    this("", List.of(), "byte", 4096, 0.1);
  }

  /** Checks the values. */
  public TextData {
    Checks.part("validation", validation);
    Checks.atLeast("vocabulary", vocabulary, 1);
  }

  @Override
  public String type() {
    return "text";
  }

  @Override
  public TextData withSource(String source) {
    return TextDataBuilder.With.super.withSource(source);
  }
}
