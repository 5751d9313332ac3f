package dev.jformer.decode;

import dev.jformer.model.CausalLm;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.Arrays;

/** The probabilities of the token after a prefix, one prefix at a time. */
public interface NextToken extends AutoCloseable {
  /** The token that ends a text. */
  int end();

  /**
   * Computes the log probabilities of what follows a prefix.
   *
   * @param prefix ids; empty for the first token of a text
   * @return nats, one for each id
   */
  double[] logProbabilities(int[] prefix);

  /** Releases what was kept of prefixes. */
  @Override
  void close();

  /**
   * What follows prefixes in the translations of a source.
   *
   * @param model not in training
   * @param source ids with the end as in training
   * @param longest the most tokens of a prefix
   */
  static NextToken of(EncoderDecoder model, int[] source, int longest) {
    long[] ids = Arrays.stream(source).asLongStream().toArray();
    EncoderDecoder.Decoding decoding;
    try (Mode mode = Autograd.inference();
        Scope scope = Scope.open()) {
      decoding = model.decode(Tensor.of(ids, 1, ids.length), null, 1, longest + 1L);
    }
    return new CachedPrefix(
        model.end(), new int[] {model.end()}, decoding::truncate, decoding::close) {
      @Override
      Tensor read(long id) {
        return decoding.next(Tensor.of(new long[] {id}));
      }
    };
  }

  /**
   * What follows prefixes after a prompt.
   *
   * @param model not in training
   * @param prompt ids, at least one
   * @param end the token that ends a text
   * @param longest the most tokens of a prefix
   */
  static NextToken of(CausalLm model, int[] prompt, int end, int longest) {
    CausalLm.Decoding decoding;
    try (Mode mode = Autograd.inference()) {
      decoding = model.decode(1, (long) prompt.length + longest);
    }
    return new CachedPrefix(end, prompt, decoding::truncate, decoding::close) {
      @Override
      Tensor read(long id) {
        return decoding.next(Tensor.of(new long[] {id}, 1, 1));
      }
    };
  }
}
