package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.List;

/**
 * The text that a language model learns from.
 *
 * @param source a file, folder, or zip or jar file; empty where the program has a text of its own
 * @param endings what the names of files in a folder or zip must end in; empty for all
 * @param tokenizer {@code byte}, {@code bpe} to learn a vocabulary from the text, or the path of a
 *     {@code tokenizer.json}
 * @param vocabulary how many tokens {@code bpe} learns
 * @param validation share of the text, at its end, that is held out
 */
@AutoService(DataConfig.class)
@RecordBuilder
public record TextData(
    String source, List<String> endings, String tokenizer, int vocabulary, double validation)
    implements DataConfig, TextDataBuilder.With {
  /** Bytes, a tenth held out. */
  public TextData() {
    this("", List.of(), "byte", 4096, 0.1);
  }

  /** Checks the values. */
  public TextData {
    Checks.part("validation", validation);
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
