package dev.jformer.data.text;

import dev.jformer.data.DataException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * Texts with labels, read from a UTF-8 file with a text, a tab and a label in each line, or with a
 * label, a tab and a text.
 *
 * @param texts the texts, in order
 * @param labels index of each text's class
 * @param classes the distinct labels, in alphabetical order
 */
public record LabelledTexts(List<String> texts, List<Integer> labels, List<String> classes) {
  /**
   * Reads a file without known classes; see {@link #read(Path, boolean, List, Consumer)}.
   *
   * @param header whether its first line surely names the columns
   */
  public static LabelledTexts read(Path file, boolean header) {
    return read(file, header, List.of(), remark -> {});
  }

  /**
   * Reads a file. Which column holds the labels, and whether the first line names the columns, is
   * detected.
   *
   * @param header whether its first line surely names the columns
   * @param known the classes of a model that reads the texts; empty if there is none yet
   * @param remarks receives what was detected and is not usual, in sentences
   * @throws DataException if it cannot be read, or a line is malformed
   */
  public static LabelledTexts read(
      Path file, boolean header, List<String> known, Consumer<String> remarks) {
    if (!Files.isRegularFile(file)) {
      throw new DataException("no such file of labelled texts: " + file);
    }
    List<String> lines = TextLines.read(file);
    LabelColumn column =
        LabelColumn.of(header && !lines.isEmpty() ? lines.subList(1, lines.size()) : lines, known);
    boolean named = header || column.isHeader(lines);
    if (column == LabelColumn.FIRST) {
      remarks.accept(file + " has the labels in the first column");
    }
    if (named && !header) {
      remarks.accept(
          file + " begins with the names of the columns, which is left out: " + lines.get(0));
    }
    List<String> texts = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (int i = named ? 1 : 0; i < lines.size(); i++) {
      String line = lines.get(i);
      if (line.isBlank()) {
        continue;
      }
      String text = column.text(line);
      String label = column.label(line);
      if (text.isEmpty() || label.isEmpty()) {
        boolean tab = line.indexOf('\t') >= 0;
        throw new DataException(
            file
                + " line "
                + (i + 1)
                + (tab ? " has no " + (text.isEmpty() ? "text" : "label") : " has no tab")
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
