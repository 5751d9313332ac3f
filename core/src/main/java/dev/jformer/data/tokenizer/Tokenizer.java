package dev.jformer.data.tokenizer;

import dev.jformer.io.AtomicFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
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

  /**
   * The ids of a text as a model of whole texts is given it: between the special tokens that the
   * tokenizer puts around a text, such as BERT's {@code [CLS]} and {@code [SEP]}, if it has any.
   *
   * @param longest the most ids; of a longer text the end is left out, but no special token
   * @throws IllegalArgumentException if the special tokens alone are more
   */
  default int[] encodeWhole(String text, int longest) {
    int[] ids = encode(text);
    return Arrays.copyOf(ids, Math.min(ids.length, longest));
  }

  /** The text of some ids; bytes that are no UTF-8 become the replacement character. */
  String decode(int[] ids);

  /** V: ids are below this. */
  int vocabularySize();

  /** The id that separates documents, if there is one. */
  OptionalInt endOfText();

  /** The id of a token that is spelled so, special ones among them, if there is one. */
  default OptionalInt id(String token) {
    return OptionalInt.empty();
  }

  /** The content of {@link #FILE}. */
  byte[] json();

  /** Writes {@link #FILE} into a folder. */
  default void save(Path folder) throws IOException {
    AtomicFile.write(folder.resolve(FILE), json());
  }
}
