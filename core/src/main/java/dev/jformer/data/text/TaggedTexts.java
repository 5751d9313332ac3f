package dev.jformer.data.text;

import dev.jformer.data.DataException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * Sentences with a tag for each word, read from a file in the format of the CoNLL shared tasks (<a
 * href="https://arxiv.org/abs/cs/0306050">Introduction to the CoNLL-2003 Shared Task:
 * Language-Independent Named Entity Recognition</a>): a line for each word, with the word in its
 * first column and the tag in its last, and an empty line between sentences. Columns are separated
 * by tabs, or by spaces in files without tabs. Tags are {@code O}, or one of {@code B-}, {@code
 * I-}, {@code E-} and {@code S-} with the type of an entity.
 *
 * @param sentences the sentences, in order
 * @param tags the distinct tags, in alphabetical order
 */
public record TaggedTexts(List<Sentence> sentences, List<String> tags) {
  private static final Pattern TAG = Pattern.compile("O|[BIES](-.*)?");
  private static final Pattern SPACES = Pattern.compile("[ \t]+");
  private static final String DOCUMENT = "-DOCSTART-";

  /**
   * A sentence.
   *
   * @param words its words, at least one
   * @param tags a tag for each word
   */
  public record Sentence(List<String> words, List<String> tags) {}

  /** Copies the lists. */
  public TaggedTexts {
    sentences = List.copyOf(sentences);
    tags = List.copyOf(tags);
  }

  /** Creates texts of some sentences. */
  public static TaggedTexts of(List<Sentence> sentences) {
    TreeSet<String> tags = new TreeSet<>();
    sentences.forEach(sentence -> tags.addAll(sentence.tags()));
    return new TaggedTexts(sentences, List.copyOf(tags));
  }

  /**
   * Reads a file.
   *
   * @throws DataException if it cannot be read, or a line is malformed; the message has its number
   */
  public static TaggedTexts read(Path file) {
    return new Reader(file, TextLines.read(file)).read();
  }

  /**
   * Whether a file is more likely one of tagged words than another: most lines that are not empty
   * end with a tag.
   *
   * @throws DataException if it cannot be read
   */
  public static boolean areIn(Path file) {
    List<String> lines =
        TextLines.read(file).stream().map(String::strip).filter(line -> !line.isEmpty()).toList();
    long tagged =
        lines.stream()
            .map(SPACES::split)
            .filter(fields -> fields.length > 1 && TAG.matcher(fields[fields.length - 1]).matches())
            .count();
    return 2 * tagged > lines.size();
  }

  private static final class Reader {
    private final Path file;
    private final List<String> lines;
    private final boolean tabs;
    private final List<Sentence> sentences = new ArrayList<>();
    private List<String> words = new ArrayList<>();
    private List<String> tags = new ArrayList<>();

    /** The number of columns of the first word, and its line; 0 before it. */
    private int columns;

    private int first;

    Reader(Path file, List<String> lines) {
      this.file = file;
      this.lines = lines;
      this.tabs = lines.stream().anyMatch(line -> line.indexOf('\t') >= 0);
    }

    TaggedTexts read() {
      for (int i = 0; i < lines.size(); i++) {
        String line = lines.get(i);
        if (i == 0 && line.startsWith("\uFEFF")) {
          line = line.substring(1);
        }
        if (isEmpty(line)) {
          end();
        } else {
          word(split(line), i + 1);
        }
      }
      end();
      if (sentences.isEmpty()) {
        throw new DataException(
            file + " holds no words: expected a word and a tag in each line, with a tab between");
      }
      return of(sentences);
    }

    /** Whether a line has no characters but spaces and tabs: others can be words. */
    private static boolean isEmpty(String line) {
      return SPACES.matcher(line).replaceAll("").isEmpty();
    }

    private String[] split(String line) {
      return tabs ? line.split("\t", -1) : SPACES.split(line.strip());
    }

    private void word(String[] fields, int line) {
      if (fields.length < 2) {
        throw fault(line, "has one column, '" + fields[0] + "': expected a word and its tag");
      }
      if (columns == 0) {
        columns = fields.length;
        first = line;
      }
      if (fields.length != columns) {
        throw fault(
            line,
            "has " + fields.length + " columns: expected " + columns + " as in line " + first);
      }
      String word = fields[0];
      String tag = fields[columns - 1].strip();
      if (word.isEmpty()) {
        throw fault(line, "has no word before the tag '" + tag + "'");
      }
      if (word.equals(DOCUMENT)) {
        return;
      }
      if (!TAG.matcher(tag).matches()) {
        throw fault(
            line,
            "has the tag '"
                + tag
                + "': expected O, or B-, I-, E- or S- and the type of an entity, such as B-person");
      }
      words.add(word);
      tags.add(tag);
    }

    private void end() {
      if (!words.isEmpty()) {
        sentences.add(new Sentence(List.copyOf(words), List.copyOf(tags)));
        words = new ArrayList<>();
        tags = new ArrayList<>();
      }
    }

    private DataException fault(int line, String what) {
      return new DataException(file + " line " + line + " " + what);
    }
  }
}
