package dev.jformer.words;

import dev.jformer.config.Checks;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.DoubleConsumer;

/**
 * Learns vectors of words by skip-grams with negative sampling, with hyperparameters that {@link
 * WordVectorSearch} finds (<a href="https://arxiv.org/abs/2410.18441">The Nature of Mathematical
 * Modeling and Probabilistic Optimization Engineering in Generative AI</a>): the vector of a word
 * is to tell the words around it from words drawn at random (<a
 * href="https://arxiv.org/abs/1310.4546">Distributed Representations of Words and Phrases and their
 * Compositionality</a>). Plain loops over arrays, on one thread, so that the outcome depends on the
 * seed alone.
 *
 * <p>As in the authors' code: the window of each word is drawn evenly from 1 to {@code window};
 * frequent words are left out with probability 1 - √(t/f) - t/f, f being a word's share of the
 * text; the learning rate falls linearly to a ten-thousandth; vectors begin evenly in ±1/(2
 * dimension), the other side's with 0.
 *
 * @param dimension numbers of a vector
 * @param window the most words to either side that count as around a word
 * @param negatives words drawn at random for each word around
 * @param learningRate at the start
 * @param subsampling t: frequent words are left out the more, the smaller it is; 0 for never
 * @param exponent of the counts by which words are drawn at random
 * @param epochs passes over the text
 */
@RecordBuilder
public record Word2Vec(
    int dimension,
    int window,
    int negatives,
    double learningRate,
    double subsampling,
    double exponent,
    int epochs)
    implements Word2VecBuilder.With {
  /** Defaults: those of the authors' code, with vectors of 100 numbers. */
  public Word2Vec() {
    this(100, 5, 5, 0.025, 1e-3, 0.75, 5);
  }

  /** Checks the values. */
  public Word2Vec {
    Checks.atLeast("dimension", dimension, 1);
    Checks.atLeast("window", window, 1);
    Checks.atLeast("negatives", negatives, 1);
    Checks.moreThan("learningRate", learningRate, 0);
    Checks.atLeast("subsampling", subsampling, 0.0);
    Checks.atLeast("exponent", exponent, 0.0);
    Checks.atLeast("epochs", epochs, 1);
  }

  /**
   * Learns vectors.
   *
   * @param sentences ids of words; words around a word are of its sentence
   * @param progress called with the share that is done, 0 to 1
   */
  public WordVectors train(
      Vocabulary vocabulary, List<int[]> sentences, long seed, DoubleConsumer progress) {
    return new Learning(this, vocabulary, seed).run(sentences, progress);
  }

  /** One run. */
  private static final class Learning {
    private final Word2Vec config;
    private final Vocabulary vocabulary;
    private final SplittableRandom random;
    private final NoiseWords noise;
    private final float[] vectors;
    private final float[] contexts;
    private final float[] change;
    private final double[] kept;

    Learning(Word2Vec config, Vocabulary vocabulary, long seed) {
      this.config = config;
      this.vocabulary = vocabulary;
      random = new SplittableRandom(seed);
      noise = new NoiseWords(vocabulary, config.exponent);
      vectors = new float[Math.multiplyExact(vocabulary.size(), config.dimension)];
      for (int i = 0; i < vectors.length; i++) {
        vectors[i] = (float) ((random.nextDouble() - 0.5) / config.dimension);
      }
      contexts = new float[vectors.length];
      change = new float[config.dimension];
      kept = new double[vocabulary.size()];
    }

    WordVectors run(List<int[]> sentences, DoubleConsumer progress) {
      long words = sentences.stream().mapToLong(sentence -> sentence.length).sum();
      for (int word = 0; word < kept.length; word++) {
        double share = vocabulary.count(word) / (double) Math.max(1, words);
        double t = config.subsampling / share;
        kept[word] = config.subsampling == 0 ? 1 : Math.sqrt(t) + t;
      }
      long done = 0;
      double all = Math.max(1, (double) words * config.epochs);
      for (int epoch = 0; epoch < config.epochs; epoch++) {
        for (int[] sentence : sentences) {
          double rate = config.learningRate * Math.max(1e-4, 1 - done / all);
          learn(sampled(sentence), (float) rate);
          done += sentence.length;
          progress.accept(done / all);
        }
      }
      return new WordVectors(vocabulary, config.dimension, vectors, contexts);
    }

    private int[] sampled(int[] sentence) {
      int[] left = new int[sentence.length];
      int count = 0;
      for (int word : sentence) {
        if (kept[word] >= 1 || random.nextDouble() < kept[word]) {
          left[count++] = word;
        }
      }
      return Arrays.copyOf(left, count);
    }

    private void learn(int[] sentence, float rate) {
      for (int at = 0; at < sentence.length; at++) {
        int window = 1 + random.nextInt(config.window);
        int last = Math.min(sentence.length - 1, at + window);
        for (int other = Math.max(0, at - window); other <= last; other++) {
          if (other != at) {
            learn(sentence[at], sentence[other], rate);
          }
        }
      }
    }

    /** A step for a word, one around it, and words drawn at random. */
    private void learn(int word, int around, float rate) {
      Arrays.fill(change, 0);
      step(word, around, 1, rate);
      for (int i = 0; i < config.negatives; i++) {
        int drawn = noise.draw(random);
        if (drawn != around) {
          step(word, drawn, 0, rate);
        }
      }
      int at = word * config.dimension;
      for (int i = 0; i < change.length; i++) {
        vectors[at + i] += change[i];
      }
    }

    private void step(int word, int other, float label, float rate) {
      float product = SkipGram.product(vectors, word, contexts, other, change.length);
      float weight = rate * (label - SkipGram.sigmoid(product));
      int from = word * change.length;
      int to = other * change.length;
      for (int i = 0; i < change.length; i++) {
        change[i] += weight * contexts[to + i];
        contexts[to + i] += weight * vectors[from + i];
      }
    }
  }
}
