package dev.jformer.words;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Word2VecTest {
  /** For texts of few words. */
  private static final Word2Vec LONG = new Word2Vec().withEpochs(20).withSubsampling(0);

  /** Sentences whose words are of one of two subjects, and some of both. */
  private static List<List<String>> subjects(int sentences, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<List<String>> all = new ArrayList<>();
    for (int i = 0; i < sentences; i++) {
      String subject = random.nextBoolean() ? "sea" : "hill";
      List<String> words = new ArrayList<>();
      for (int w = 0; w < 8; w++) {
        words.add(random.nextInt(4) == 0 ? "the" : subject + random.nextInt(10));
      }
      all.add(words);
    }
    return all;
  }

  private static WordVectors learned(Word2Vec config, long seed) {
    List<List<String>> sentences = subjects(2000, 1);
    Vocabulary vocabulary = Vocabulary.of(sentences, 1);
    return config.train(
        vocabulary, sentences.stream().map(vocabulary::ids).toList(), seed, done -> {});
  }

  @Test
  void wordsOfASubjectAreSimilar() {
    for (int dimension : new int[] {2, 3, 17, 64}) {
      WordVectors vectors = learned(LONG.withDimension(dimension), 7);
      double same = vectors.similarity("sea1", "sea7");
      double other = vectors.similarity("sea1", "hill7");
      assertTrue(same > other + 0.3, dimension + ": " + same + " and " + other);
      assertEquals(dimension, vectors.vector("the").length);
    }
    WordVectors vectors = learned(LONG, 7);
    List<WordVectors.Neighbour> nearest = vectors.nearest("hill3", 9);
    assertTrue(nearest.stream().allMatch(n -> n.word().startsWith("hill")), nearest.toString());
  }

  @Test
  void recognizesWordsAroundOnHeldOutText() {
    WordVectors vectors = learned(LONG, 7);
    List<int[]> heldOut = subjects(500, 2).stream().map(vectors.vocabulary()::ids).toList();
    double right = vectors.recognition(heldOut, 5, 1);
    assertTrue(right > 0.6, "" + right);
    assertEquals(right, vectors.recognition(heldOut, 5, 1));
  }

  @Test
  void theSeedAloneDecides() {
    assertArrayEquals(
        learned(new Word2Vec(), 3).vector("sea1"), learned(new Word2Vec(), 3).vector("sea1"));
  }

  /** Where no word is left out and the window is one, each step is one of gradient descent. */
  @Test
  void stepsFollowTheGradient() {
    int dimension = 5;
    List<List<String>> sentences = List.of(List.of("a", "b"));
    Vocabulary vocabulary = Vocabulary.of(sentences, 1);
    Word2Vec config =
        new Word2Vec()
            .withDimension(dimension)
            .withWindow(1)
            .withSubsampling(0)
            .withEpochs(40)
            .withLearningRate(0.5);
    WordVectors vectors =
        config.train(vocabulary, List.of(vocabulary.ids(sentences.get(0))), 11, done -> {});
    double[][] expected = naive(config, 11);
    for (int word = 0; word < 2; word++) {
      float[] found = vectors.vector(vocabulary.words().get(word));
      for (int i = 0; i < dimension; i++) {
        assertEquals(expected[word][i], found[i], 1e-4);
      }
    }
  }

  /** The same with the loss' numerical gradient, in float64, for the sentence "a b". */
  private static double[][] naive(Word2Vec config, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int d = config.dimension();
    double[][] in = new double[2][d];
    double[][] out = new double[2][d];
    for (double[] row : in) {
      for (int i = 0; i < d; i++) {
        row[i] = (random.nextDouble() - 0.5) / d;
      }
    }
    for (int epoch = 0; epoch < config.epochs(); epoch++) {
      double rate = config.learningRate() * Math.max(1e-4, 1 - epoch / (double) config.epochs());
      for (int word = 0; word < 2; word++) {
        random.nextInt(1); // the window
        int around = 1 - word;
        double[] change = new double[d];
        descend(in[word], out[around], 1, rate, change);
        for (int i = 0; i < config.negatives(); i++) {
          int drawn = random.nextDouble() * 2 < 1 ? 0 : 1; // both occur once
          if (drawn != around) {
            descend(in[word], out[drawn], 0, rate, change);
          }
        }
        for (int i = 0; i < d; i++) {
          in[word][i] += change[i];
        }
      }
    }
    return in;
  }

  private static void descend(double[] in, double[] out, int label, double rate, double[] change) {
    double[] inStep = new double[in.length];
    double[] outStep = new double[in.length];
    for (int i = 0; i < in.length; i++) {
      inStep[i] = slope(in, out, label, in, i);
      outStep[i] = slope(in, out, label, out, i);
    }
    for (int i = 0; i < in.length; i++) {
      change[i] -= rate * inStep[i];
      out[i] -= rate * outStep[i];
    }
  }

  private static double slope(double[] in, double[] out, int label, double[] moved, int at) {
    double h = 1e-5;
    double before = moved[at];
    moved[at] = before + h;
    double high = loss(in, out, label);
    moved[at] = before - h;
    double low = loss(in, out, label);
    moved[at] = before;
    return (high - low) / (2 * h);
  }

  private static double loss(double[] in, double[] out, int label) {
    double product = 0;
    for (int i = 0; i < in.length; i++) {
      product += in[i] * out[i];
    }
    return Math.log1p(Math.exp(label == 1 ? -product : product));
  }

  @Test
  void savesTheFormatOfWord2Vec(@TempDir Path folder) throws IOException {
    WordVectors vectors = learned(new Word2Vec().withDimension(3), 7);
    Path file = folder.resolve("vectors.txt");
    vectors.save(file);
    List<String> lines = Files.readAllLines(file);
    assertEquals("21 3", lines.get(0));
    assertEquals(22, lines.size());
    assertEquals("the", lines.get(1).split(" ")[0]);
    assertEquals(vectors.vector("the")[2], Float.parseFloat(lines.get(1).split(" ")[3]));
  }

  @Test
  void readsSentencesAsWords() {
    assertEquals(
        List.of("it's", "a", "naïve", "3rd", "try"), Sentences.words("It's -- a naïve 3rd try!"));
    assertEquals(List.of(), Sentences.words("... '"));
  }

  @Test
  void saysWhatIsWrong() {
    assertThrows(IllegalArgumentException.class, () -> new Word2Vec().withWindow(0));
    assertThrows(IllegalArgumentException.class, () -> new Word2Vec().withLearningRate(0));
    assertThrows(IllegalArgumentException.class, () -> new Word2Vec().withSubsampling(-1));
    assertThrows(DataException.class, () -> Vocabulary.of(List.of(List.of("a", "a")), 1));
    String message =
        assertThrows(DataException.class, () -> learned(new Word2Vec(), 1).vector("lake"))
            .getMessage();
    assertTrue(message.contains("'lake'"), message);
    assertThrows(DataException.class, () -> learned(new Word2Vec(), 1).nearest("lake", 3));
  }
}
