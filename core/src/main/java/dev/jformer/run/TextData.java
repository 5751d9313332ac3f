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
 * @param length tokens of a window to learn from, at most the model's length; 0 for that length. A
 *     model that reads long contexts takes much memory to train on windows of its own length.
 */
@AutoService(DataConfig.class)
@RecordBuilder
public record TextData(
    String source,
    List<String> endings,
    String tokenizer,
    int vocabulary,
    double validation,
    int length)
    implements DataConfig, TextDataBuilder.With {
  /** Defaults: bytes, a tenth held out. */
  public TextData() {
    this("", List.of(), "byte", 4096, 0.1, 0);
  }

  /** Checks the values. */
  public TextData {
    Checks.part("validation", validation);
    Checks.atLeast("vocabulary", vocabulary, 1);
    Checks.atLeast("length", length, 0);
  }

  @Override
  public String type() {
    return "text";
  }

  /** The tokens of a window for a model of some length. */
  int windowOf(int longest) {
    return length == 0 ? longest : Math.min(length, longest);
  }

  @Override
  public TextData withSource(String source) {
    return TextDataBuilder.With.super.withSource(source);
  }
}
