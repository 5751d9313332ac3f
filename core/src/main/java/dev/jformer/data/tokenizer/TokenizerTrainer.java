package dev.jformer.data.tokenizer;

import dev.jformer.data.text.Corpus;
import java.io.IOException;
import java.util.function.IntConsumer;

/**
 * Learns a byte-level tokenizer from text: it receives the text piece by piece, and then makes a
 * vocabulary of it. Tokens are parts of words as GPT-2 cuts them; each byte and {@link
 * #END_OF_TEXT} are tokens too, so that every text can be encoded. What it makes is Hugging Face's
 * {@code tokenizer.json}.
 */
public interface TokenizerTrainer extends Corpus.Reader {
  /** The token that separates documents. */
  String END_OF_TEXT = "<|endoftext|>";

  @Override
  void piece(String text);

  /**
   * Makes a tokenizer of the text received so far.
   *
   * @param vocabulary number of tokens wanted; there are fewer if the text has too little to learn
   * @param progress called with the number of tokens so far
   * @throws dev.jformer.data.DataException if {@code vocabulary} is below 257, the number of bytes
   *     plus the end of a text
   */
  Tokenizer train(int vocabulary, IntConsumer progress) throws IOException;
}
