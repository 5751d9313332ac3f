package dev.jformer.hub;

import dev.jformer.data.text.ScoredPairs;
import dev.jformer.data.text.TextBatch;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.metrics.RankCorrelation;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Embeds texts as Sentence-BERT does (<a href="https://arxiv.org/abs/1908.10084">Sentence-BERT:
 * Sentence Embeddings using Siamese BERT-Networks</a>): the mean of an encoder's last hidden
 * states, without padding, scaled to length 1. The dot product of two embeddings is the cosine of
 * the angle between them.
 *
 * <pre>{@code
 * try (SentenceEncoder encoder = SentenceEncoder.load(Path.of("all-MiniLM-L6-v2"))) {
 *   float[][] embeddings = encoder.embed(List.of("A cat sits.", "There is a cat."));
 *   double similarity = SentenceEncoder.cosine(embeddings[0], embeddings[1]);
 * }
 * }</pre>
 */
public final class SentenceEncoder implements AutoCloseable {
  private static final int BATCH = 32;

  private final Encoder model;
  private final Tokenizer tokenizer;
  private final int batch;

  /** Creates an encoder that embeds 32 texts at a time. */
  public SentenceEncoder(Encoder model, Tokenizer tokenizer) {
    this(model, tokenizer, BATCH);
  }

  /**
   * Creates an encoder from a model and its tokenizer.
   *
   * @param model closed with this
   * @param batch number of texts that are embedded at a time
   * @throws IllegalArgumentException if the tokenizer is not the model's
   */
  public SentenceEncoder(Encoder model, Tokenizer tokenizer, int batch) {
    if (!model.config().fits(tokenizer.vocabularySize())) {
      throw new IllegalArgumentException(
          "the tokenizer has "
              + tokenizer.vocabularySize()
              + " ids, but the model's vocabulary has "
              + model.config().tokens()
              + ": use the tokenizer that the model was made for");
    }
    if (batch < 1) {
      throw new IllegalArgumentException("batch is " + batch + ": expected at least 1");
    }
    this.model = model;
    this.tokenizer = tokenizer;
    this.batch = batch;
    model.train(false);
  }

  /**
   * Loads an encoder and its tokenizer.
   *
   * @param path as in {@link Models#load}
   * @throws IllegalArgumentException if the model is not an encoder
   */
  public static SentenceEncoder load(Path path) throws IOException {
    return load(path, BATCH);
  }

  /** Loads an encoder and its tokenizer; embeds {@code batch} texts at a time. */
  public static SentenceEncoder load(Path path, int batch) throws IOException {
    Model model = Models.load(path);
    try {
      if (!(model instanceof Encoder encoder)) {
        throw new IllegalArgumentException(
            path + " holds a " + model.config().type() + ": expected an encoder of texts");
      }
      return new SentenceEncoder(encoder, Tokenizers.load(path), batch);
    } catch (RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  /** The width D of an embedding. */
  public int width() {
    return model.config().width();
  }

  /** The model. */
  public Encoder model() {
    return model;
  }

  /**
   * Embeds texts. Those of similar length are embedded together; texts longer than the model's
   * length are cut off.
   *
   * @return one row of D for each text, of length 1
   * @throws IllegalArgumentException if a text has no tokens
   */
  public synchronized float[][] embed(List<String> texts) {
    int longest = model.config().length();
    List<int[]> tokens = new ArrayList<>();
    for (String text : texts) {
      int[] ids = tokenizer.encodeWhole(text, longest);
      if (ids.length == 0) {
        throw new IllegalArgumentException(
            "text " + (tokens.size() + 1) + " of " + texts.size() + " is empty");
      }
      tokens.add(ids);
    }
    List<Integer> order =
        IntStream.range(0, tokens.size())
            .boxed()
            .sorted(Comparator.comparingInt(i -> tokens.get(i).length))
            .toList();
    float[][] embeddings = new float[texts.size()][];
    for (int from = 0; from < order.size(); from += batch) {
      List<Integer> some = order.subList(from, Math.min(order.size(), from + batch));
      embed(some, tokens, embeddings);
    }
    return embeddings;
  }

  /** The embedding of a text. */
  public float[] embed(String text) {
    return embed(List.of(text))[0];
  }

  private void embed(List<Integer> chosen, List<int[]> tokens, float[][] embeddings) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.inference()) {
      TextBatch texts = TextBatch.of(chosen.stream().map(tokens::get).toList(), model.padding());
      Tensor pooled = model.pooled(texts.ids(), texts.paddingMask()).to(DType.FLOAT32);
      Tensor length = pooled.square().sum(1, true).sqrt().clamp(1e-12, Double.POSITIVE_INFINITY);
      float[] values = pooled.div(length).toFloats();
      int width = width();
      for (int i = 0; i < chosen.size(); i++) {
        embeddings[chosen.get(i)] =
            java.util.Arrays.copyOfRange(values, i * width, (i + 1) * width);
      }
    }
  }

  /**
   * Evaluates semantic textual similarity (STS): Spearman's rank correlation, -1 to 1, of the
   * cosines of embeddings with people's scores of similarity.
   */
  public double agreement(ScoredPairs pairs) {
    List<String> texts = new ArrayList<>(pairs.first());
    texts.addAll(pairs.second());
    float[][] vectors = embed(texts);
    int count = pairs.scores().size();
    double[] gold = new double[count];
    double[] cosines = new double[count];
    for (int i = 0; i < count; i++) {
      gold[i] = pairs.scores().get(i);
      cosines[i] = cosine(vectors[i], vectors[count + i]);
    }
    return RankCorrelation.spearman(gold, cosines);
  }

  /** The cosine of the angle between two vectors of length 1. */
  public static double cosine(float[] first, float[] second) {
    double sum = 0;
    for (int i = 0; i < first.length; i++) {
      sum += (double) first[i] * second[i];
    }
    return sum;
  }

  @Override
  public synchronized void close() {
    model.close();
  }
}
