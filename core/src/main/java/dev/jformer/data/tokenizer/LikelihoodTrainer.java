package dev.jformer.data.tokenizer;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Learns the tokens of highest likelihood: the sub-word encoding of <a
 * href="https://arxiv.org/abs/2410.18441">The Nature of Mathematical Modeling and Probabilistic
 * Optimization Engineering in Generative AI</a>, which begins as byte-pair encoding does and has
 * word pieces' aim. A vocabulary of a given size and a way to cut each word are sought under which
 * the text is most probable, tokens being independent with the shares that they have in the cut
 * text. Texts are encoded by the most probable tokens.
 *
 * <p>Settled here: the best vocabulary is not built pair by pair, as that of {@link
 * WordPieceTrainer} is; finding it in all cases would take exponential time. So the search starts
 * from merged pairs, cuts all words anew by the most probable tokens until nothing changes, and
 * then exchanges tokens for others while that raises the likelihood ({@link LikelihoodSearch}). On
 * small alphabets it is compared with trying all vocabularies. Tokens that the text does not use
 * count as half a token, so that they can still be encoded.
 */
public final class LikelihoodTrainer implements TokenizerTrainer {
  private final WordCounts counts = new WordCounts();

  @Override
  public void piece(String text) {
    counts.add(text);
  }

  @Override
  public Tokenizer train(int vocabulary, IntConsumer progress) throws IOException {
    WordCounts.check(vocabulary);
    List<String> bytes = WordCounts.base().subList(1, 257);
    LikelihoodSearch search = new LikelihoodSearch(bytes, counts.words());
    LikelihoodSearch.Encoding found = search.run(vocabulary - 1, progress);
    List<String> tokens = new ArrayList<>(List.of(END_OF_TEXT));
    tokens.addAll(found.pieces());
    double[] scores = new double[tokens.size()];
    System.arraycopy(found.scores(), 0, scores, 1, scores.length - 1);
    return Tokenizers.parse(TokenizerJson.mostProbable(tokens, scores, List.of(END_OF_TEXT)));
  }
}
