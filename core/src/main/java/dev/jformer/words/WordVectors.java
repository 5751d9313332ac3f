package dev.jformer.words;

import dev.jformer.io.AtomicFile;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Vectors of words. */
public final class WordVectors {
  private final Vocabulary vocabulary;
  private final int dimension;
  private final float[] vectors;
  private final float[] contexts;

  WordVectors(Vocabulary vocabulary, int dimension, float[] vectors, float[] contexts) {
    this.vocabulary = vocabulary;
    this.dimension = dimension;
    this.vectors = vectors;
    this.contexts = contexts;
  }

  /**
   * A word and how similar it is.
   *
   * @param similarity the cosine of the angle between the vectors
   */
  public record Neighbour(String word, double similarity) {}

  /** The words. */
  public Vocabulary vocabulary() {
    return vocabulary;
  }

  /** Numbers of a vector. */
  public int dimension() {
    return dimension;
  }

  /**
   * The vector of a word.
   *
   * @throws dev.jformer.data.DataException if the word has none
   */
  public float[] vector(String word) {
    int id = vocabulary.known(word);
    return Arrays.copyOfRange(vectors, id * dimension, (id + 1) * dimension);
  }

  /** The cosine of the angle between the vectors of two words. */
  public double similarity(String word, String other) {
    return cosine(vocabulary.known(word), vocabulary.known(other));
  }

  private double cosine(int a, int b) {
    double product = SkipGram.product(vectors, a, vectors, b, dimension);
    double norms =
        (double) SkipGram.product(vectors, a, vectors, a, dimension)
            * SkipGram.product(vectors, b, vectors, b, dimension);
    return norms == 0 ? 0 : product / Math.sqrt(norms);
  }

  /** The most similar other words, the most similar first. */
  public List<Neighbour> nearest(String word, int count) {
    int id = vocabulary.known(word);
    return IntStream.range(0, vocabulary.size())
        .filter(other -> other != id)
        .mapToObj(other -> new Neighbour(vocabulary.words().get(other), cosine(id, other)))
        .sorted(Comparator.comparingDouble((Neighbour n) -> -n.similarity()))
        .limit(count)
        .toList();
  }

  /**
   * How well the vectors tell a word that stands around another from one that is drawn from the
   * text at random: the share of pairs in which the first has the higher product.
   *
   * @param sentences held-out text, ids of words
   * @param window how far a word around another may be
   * @param seed of the words that are drawn; equal products count half
   */
  public double recognition(List<int[]> sentences, int window, long seed) {
    NoiseWords noise = new NoiseWords(vocabulary, 1);
    SplittableRandom random = new SplittableRandom(seed);
    double right = 0;
    long pairs = 0;
    for (int[] sentence : sentences) {
      for (int at = 0; at < sentence.length; at++) {
        int last = Math.min(sentence.length - 1, at + window);
        for (int other = Math.max(0, at - window); other <= last; other++) {
          if (other != at) {
            float near = product(sentence[at], sentence[other]);
            float drawn = product(sentence[at], noise.draw(random));
            right += near > drawn ? 1 : near == drawn ? 0.5 : 0;
            pairs++;
          }
        }
      }
    }
    return pairs == 0 ? Double.NaN : right / pairs;
  }

  private float product(int word, int around) {
    return SkipGram.product(vectors, word, contexts, around, dimension);
  }

  /** Writes the vectors as text: the format of word2vec, which gensim reads. */
  public void save(Path file) throws IOException {
    try (AtomicFile whole = AtomicFile.beside(file);
        Writer out = new OutputStreamWriter(whole.stream(), StandardCharsets.UTF_8);
        BufferedWriter writer = new BufferedWriter(out)) {
      writer.write(vocabulary.size() + " " + dimension + "\n");
      for (int word = 0; word < vocabulary.size(); word++) {
        writer.write(vocabulary.words().get(word));
        for (int i = 0; i < dimension; i++) {
          writer.write(" " + vectors[word * dimension + i]);
        }
        writer.write("\n");
      }
      writer.flush();
      whole.commit();
    }
  }
}
