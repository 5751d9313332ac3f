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
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Embeds texts as Sentence-BERT does (<a href="https://arxiv.org/abs/1908.10084">Sentence-BERT:
 * Sentence Embeddings using Siamese BERT-Networks</a>): the mean of an encoder's last hidden
 * states, without padding, scaled to length 1. The dot product of two embeddings is the cosine of
 * the angle between them.
 *
 * <p>A model of sentence-transformers says in its own files how it embeds: the pooling (the first
 * token, the mean, the maximum), the longest text, prompts, and whether vectors are scaled. {@link
 * #load} follows them.
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
  private static final double INFINITE = Double.POSITIVE_INFINITY;

  private final Encoder model;
  private final Tokenizer tokenizer;
  private final SentenceSettings settings;
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
    this(model, tokenizer, SentenceSettings.USUAL, batch);
  }

  private SentenceEncoder(
      Encoder model, Tokenizer tokenizer, SentenceSettings settings, int batch) {
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
    this.settings = settings;
    this.batch = batch;
    model.train(false);
  }

  /** Returns an encoder with the same tokenizer and settings whose model is another one. */
  public SentenceEncoder with(Encoder other) {
    return other == model ? this : new SentenceEncoder(other, tokenizer, settings, batch);
  }

  /**
   * Loads an encoder, its tokenizer and what its files say about embedding.
   *
   * @param path as in {@link Models#load}, or the folder of a model of sentence-transformers
   * @throws IllegalArgumentException if the model is not an encoder
   */
  public static SentenceEncoder load(Path path) throws IOException {
    return load(path, BATCH);
  }

  /** Loads an encoder and its tokenizer; embeds {@code batch} texts at a time. */
  public static SentenceEncoder load(Path path, int batch) throws IOException {
    String inner = SentenceSettings.read(path).transformer();
    Path folder = inner.isEmpty() ? path : path.resolve(inner);
    Model model = Models.load(folder);
    try {
      if (!(model instanceof Encoder encoder)) {
        throw new IllegalArgumentException(
            path + " holds " + model.config().noun() + ": expected an encoder of texts");
      }
      return of(path, encoder, Tokenizers.load(folder), batch);
    } catch (RuntimeException | IOException | Error e) {
      model.close();
      throw e;
    }
  }

  /**
   * Creates an encoder from a loaded model that embeds as the files in its folder say.
   *
   * @param folder of the model, or of the one that it was derived from
   * @param model closed with this
   * @throws IllegalArgumentException if the tokenizer is not the model's
   */
  public static SentenceEncoder of(Path folder, Encoder model, int batch) throws IOException {
    return of(folder, model, Tokenizers.load(folder), batch);
  }

  private static SentenceEncoder of(Path folder, Encoder model, Tokenizer tokenizer, int batch)
      throws IOException {
    return new SentenceEncoder(model, tokenizer, SentenceSettings.read(folder), batch);
  }

  /**
   * Returns an encoder of the same model that pools in another way than the model's files say. Both
   * are closed by closing one.
   *
   * @param pooling {@code mean}, {@code cls} (the first token), {@code max}, {@code lasttoken},
   *     {@code mean_sqrt_len_tokens} or {@code weightedmean}; several with a plus between are
   *     joined
   * @throws IllegalArgumentException if there is no such pooling
   */
  public SentenceEncoder withPooling(String pooling) {
    return new SentenceEncoder(model, tokenizer, settings.withPooling(pooling), batch);
  }

  /** The width of an embedding: the model's, times the number of poolings that are joined. */
  public int width() {
    return model.config().width() * settings.pooling().size();
  }

  /**
   * The prompts of the model, by name: texts that it expects before a text of a certain use, such
   * as {@code query}. Empty if it has none.
   */
  public Map<String, String> prompts() {
    return settings.prompts();
  }

  /** The model. */
  public Encoder model() {
    return model;
  }

  /**
   * Embeds texts, with the model's usual prompt before each if it has one. Texts of similar length
   * are embedded together; those longer than the model's length are cut off.
   *
   * @return a row of {@link #width} for each text, of length 1 unless the model's files say that
   *     vectors are not scaled
   * @throws IllegalArgumentException if a text has no tokens
   */
  public float[][] embed(List<String> texts) {
    return embed(texts, null);
  }

  /**
   * Embeds texts with a prompt of the model before each.
   *
   * @param prompt its name, one of {@link #prompts}; null for the usual one
   * @throws IllegalArgumentException if a text has no tokens, or there is no such prompt
   */
  public synchronized float[][] embed(List<String> texts, String prompt) {
    String before = settings.prompt(prompt);
    int longest = longest();
    List<int[]> tokens = new ArrayList<>();
    for (String text : texts) {
      int[] ids = tokenizer.encodeWhole(cased(before + text), longest);
      if (ids.length == 0) {
        throw new IllegalArgumentException(
            "text " + (tokens.size() + 1) + " of " + texts.size() + " is empty");
      }
      tokens.add(ids);
    }
    int skipped = settings.promptPooled() ? 0 : promptTokens(before);
    List<Integer> order =
        IntStream.range(0, tokens.size())
            .boxed()
            .sorted(Comparator.comparingInt(i -> tokens.get(i).length))
            .toList();
    float[][] embeddings = new float[texts.size()][];
    for (int from = 0; from < order.size(); from += batch) {
      List<Integer> some = order.subList(from, Math.min(order.size(), from + batch));
      embed(some, tokens, skipped, embeddings);
    }
    return embeddings;
  }

  /** The embedding of a text. */
  public float[] embed(String text) {
    return embed(List.of(text))[0];
  }

  private int longest() {
    int longest = model.config().length();
    return settings.longest() > 0 ? Math.min(longest, settings.longest()) : longest;
  }

  /**
   * The tokens of a text without a prompt, cut to the model's length.
   *
   * @throws IllegalArgumentException if it has none
   */
  public int[] encode(String text) {
    int[] ids = tokenizer.encodeWhole(cased(text), longest());
    if (ids.length == 0) {
      throw new IllegalArgumentException("a text is empty: expected at least a token");
    }
    return ids;
  }

  /**
   * The vectors of tokenized texts, through which gradients flow: for training.
   *
   * @return [B, {@link #width}], of any length
   */
  public Tensor vectors(List<int[]> texts) {
    return pooled(TextBatch.of(texts, model.padding()), 0);
  }

  private String cased(String text) {
    return settings.lowercase() ? text.toLowerCase(Locale.ROOT) : text;
  }

  /** The tokens that a prompt takes at the start of a text, special ones before it included. */
  private int promptTokens(String prompt) {
    return prompt.isEmpty() ? 0 : tokenizer.encodePrompt(cased(prompt)).length;
  }

  private void embed(List<Integer> chosen, List<int[]> tokens, int skipped, float[][] embeddings) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.inference()) {
      TextBatch texts = TextBatch.of(chosen.stream().map(tokens::get).toList(), model.padding());
      Tensor pooled = pooled(texts, skipped).to(DType.FLOAT32);
      if (settings.normalized()) {
        pooled = pooled.div(pooled.square().sum(1, true).sqrt().clamp(1e-12, INFINITE));
      }
      float[] values = pooled.toFloats();
      int width = width();
      for (int i = 0; i < chosen.size(); i++) {
        embeddings[chosen.get(i)] = Arrays.copyOfRange(values, i * width, (i + 1) * width);
      }
    }
  }

  private Tensor pooled(TextBatch texts, int skipped) {
    if (skipped == 0 && settings.pooling().equals(List.of(SentencePooling.MEAN))) {
      return model.pooled(texts.ids(), texts.paddingMask());
    }
    Tensor hidden = model.hidden(texts.ids(), texts.paddingMask()).to(DType.FLOAT32);
    if (hidden.size(1) != texts.ids().size(1)) {
      throw new IllegalArgumentException(
          "the model leaves out tokens: only the mean of all tokens can be taken, not "
              + settings.pooling());
    }
    Tensor weights =
        texts.paddingMask() == null
            ? Tensor.ones(texts.ids().size(0), texts.ids().size(1))
            : texts.paddingMask().to(DType.FLOAT32).copy();
    if (skipped > 0) {
      weights.narrow(1, 0, Math.min(skipped, weights.size(1))).zero_();
    }
    return SentencePooling.pool(settings.pooling(), hidden, weights);
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
      cosines[i] = similarity(vectors[i], vectors[count + i]);
    }
    return RankCorrelation.spearman(gold, cosines);
  }

  private double similarity(float[] first, float[] second) {
    double product = cosine(first, second);
    return settings.normalized()
        ? product
        : product / Math.max(1e-12, Math.sqrt(cosine(first, first) * cosine(second, second)));
  }

  /** The cosine of the angle between two vectors of length 1, which is their dot product. */
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
