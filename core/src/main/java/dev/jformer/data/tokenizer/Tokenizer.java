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

  /** Encodes a text as ids, without adding special tokens. */
  int[] encode(String text);

  /**
   * Encodes a text between the special tokens that the tokenizer puts around it, such as BERT's
   * {@code [CLS]} and {@code [SEP]}, if it has any: the input of encoders.
   *
   * @param longest the most ids; a longer text is cut off, but keeps its special tokens
   * @throws IllegalArgumentException if the special tokens alone are more
   */
  default int[] encodeWhole(String text, int longest) {
    int[] ids = encode(text);
    return Arrays.copyOf(ids, Math.min(ids.length, longest));
  }

  /**
   * Encodes a text that a language model continues: after the special tokens that the tokenizer
   * puts before a text, such as Llama's {@code <s>}, if it has any.
   */
  default int[] encodePrompt(String text) {
    return encode(text);
  }

  /** Decodes ids to text; bytes that are not valid UTF-8 become the replacement character. */
  String decode(int[] ids);

  /** The size V of the vocabulary: ids are below this. */
  int vocabularySize();

  /** The id that separates documents, if there is one. */
  OptionalInt endOfText();

  /** The id of a token, which may be a special one, if the vocabulary has it. */
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
