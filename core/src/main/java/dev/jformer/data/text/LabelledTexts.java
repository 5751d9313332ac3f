package dev.jformer.data.text;

import dev.jformer.data.DataException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/**
 * Texts with labels, read from a UTF-8 file with a text, a tab and a label in each line.
 *
 * @param texts the texts, in order
 * @param labels index of each text's class
 * @param classes the distinct labels, in alphabetical order
 */
public record LabelledTexts(List<String> texts, List<Integer> labels, List<String> classes) {
  /**
   * Reads a file.
   *
   * @param header whether its first line names the columns
   * @throws DataException if it cannot be read, or a line is malformed
   */
  public static LabelledTexts read(Path file, boolean header) {
    if (!Files.isRegularFile(file)) {
      throw new DataException("no such file of labelled texts: " + file);
    }
    List<String> texts = new ArrayList<>();
    List<String> names = new ArrayList<>();
    List<String> lines = TextLines.read(file);
    for (int i = header ? 1 : 0; i < lines.size(); i++) {
      String line = lines.get(i);
      if (line.isBlank()) {
        continue;
      }
      int tab = line.lastIndexOf('\t');
      String text = tab < 0 ? "" : line.substring(0, tab).strip();
      String label = tab < 0 ? "" : line.substring(tab + 1).strip();
      if (text.isEmpty() || label.isEmpty()) {
        throw new DataException(
            file
                + " line "
                + (i + 1)
                + (tab < 0 ? " has no tab" : " has no " + (text.isEmpty() ? "text" : "label"))
                + ": expected a text, a tab and a label");
      }
      texts.add(text);
      names.add(label);
    }
    if (texts.isEmpty()) {
      throw new DataException(
          file + " holds no texts: expected lines of a text, a tab and a label");
    }
    List<String> classes = List.copyOf(new TreeSet<>(names));
    List<Integer> labels = names.stream().map(classes::indexOf).toList();
    return new LabelledTexts(List.copyOf(texts), labels, classes);
  }
}
