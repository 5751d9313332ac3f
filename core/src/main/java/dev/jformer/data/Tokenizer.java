package dev.jformer.data;

import dev.jformer.io.AtomicFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalInt;

/** Turns text into token ids and back. */
public interface Tokenizer {
  /**
   * The file that holds a tokenizer in a model's folder, in the format of Hugging Face's
   * tokenizers.
   */
  String FILE = "tokenizer.json";

  /** The ids of a text, without any special tokens added. */
  int[] encode(String text);

  /** The text of some ids; bytes that are no UTF-8 become the replacement character. */
  String decode(int[] ids);

  /** V: ids are below this. */
  int vocabularySize();

  /** The id that separates documents, if there is one. */
  OptionalInt endOfText();

  /** The content of {@link #FILE}. */
  byte[] json();

  /** Writes {@link #FILE} into a folder. */
  default void save(Path folder) throws IOException {
    AtomicFile.write(folder.resolve(FILE), json());
  }
}
