package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Configuration of words with labels, of which a program is learned: sentences with a tag for each
 * word, or texts with a label each.
 *
 * @param source a file in the format of {@link dev.jformer.data.text.TaggedTexts}, or one of {@link
 *     dev.jformer.data.text.LabelledTexts}
 * @param heldOut a file of the same kind to validate on; empty to hold out a share of the source
 * @param format which of both the files are
 * @param validation share of the texts that is held out if there is no file of them
 * @param least how often a word is seen in the training at least to be known by itself; others are
 *     read by their shape, see {@link dev.jformer.program.Lexicon}
 * @param unknown share of the words that are taken for unknown in training
 */
@AutoService(DataConfig.class)
@RecordBuilder
public record LabelledWordData(
    String source, String heldOut, Format format, double validation, int least, double unknown)
    implements DataConfig, LabelledWordDataBuilder.With {
  /** What files of words with labels look like. */
  public enum Format {
    /** Detected: tagged if most lines that are not empty end with a tag. */
    AUTO,
    /** A word and its tag in each line, an empty line between sentences. */
    TAGGED,
    /** A text, a tab and a label in each line. */
    LABELLED
  }

  /** Defaults: words that are seen twice, a tenth held out. */
  public LabelledWordData() {
    this("", "", Format.AUTO, 0.1, 2, 0.1);
  }

  /** Checks the values. */
  public LabelledWordData {
    Checks.notNull("heldOut", heldOut);
    Checks.notNull("format", format);
    Checks.part("validation", validation);
    Checks.atLeast("least", least, 1);
    Checks.check(unknown >= 0 && unknown < 1, "unknown", unknown, "at least 0 and below 1");
  }

  @Override
  public String type() {
    return "labelled-words";
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
  public LabelledWordData withSource(String source) {
    return LabelledWordDataBuilder.With.super.withSource(source);
  }
}
