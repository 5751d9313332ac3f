package dev.jformer.data.tokenizer;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;

/** The ways to learn a tokenizer from text. */
public enum TokenizerMethod {
  /** Byte-pair encoding: {@link BpeTrainer}. */
  BPE(BpeTrainer::new),
  /** Pairs that raise the likelihood most, and longest pieces first: {@link WordPieceTrainer}. */
  WORDPIECE(WordPieceTrainer::new),
  /** SentencePiece's unigram model, pruned from many pieces: {@link UnigramTrainer}. */
  UNIGRAM(UnigramTrainer::new),
  /** The vocabulary of highest likelihood: {@link LikelihoodTrainer}. */
  LIKELIHOOD(LikelihoodTrainer::new),
  /** Lempel, Ziv and Welch's dictionary: {@link LzwTrainer}. */
  LZW(LzwTrainer::new);

  private final Supplier<TokenizerTrainer> trainer;

  TokenizerMethod(Supplier<TokenizerTrainer> trainer) {
    this.trainer = trainer;
  }

  /** The name in recipes, for example {@code bpe}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The names of all. */
  public static List<String> labels() {
    return Arrays.stream(values()).map(TokenizerMethod::label).toList();
  }

  /** The method of a name, if there is one. */
  public static Optional<TokenizerMethod> of(String label) {
    return Arrays.stream(values()).filter(method -> method.label().equals(label)).findFirst();
  }

  /** A trainer that has seen no text. */
  public TokenizerTrainer trainer() {
    return trainer.get();
  }
}
