package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.data.Fingerprint;
import dev.jformer.data.text.ScoredPairs;
import dev.jformer.data.text.TextPairs;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.hub.SentenceEncoder;
import dev.jformer.hub.SideFiles;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.train.Task;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;

/**
 * The job of sentence embedding. A trained encoder learns from pairs of texts that mean the same.
 * It is evaluated by semantic textual similarity (STS): Spearman's correlation, times 100, of the
 * embeddings' cosines with human scores.
 */
@AutoService(Job.class)
public record SentenceEmbeddingJob() implements Job {
  @Override
  public String type() {
    return "sentence-embedding";
  }

  @Override
  public Class<TextPairData> data() {
    return TextPairData.class;
  }

  @Override
  public Class<Encoder.Config> model() {
    return Encoder.Config.class;
  }

  @Override
  public PreparedData prepare(Recipe recipe, Workspace workspace) throws IOException {
    if (recipe.from().isEmpty()) {
      throw new RunException(
          "pairs of texts are for training an encoder that knows words already: give it with"
              + " --from");
    }
    TextPairData data = (TextPairData) recipe.data();
    TextPairs pairs = TextPairs.read(Path.of(data.source()));
    PretrainedStart.copyTokenizer(recipe, workspace.folder());
    Tokenizer tokenizer = Tokenizers.load(workspace.folder());
    return new Data(data, pairs, tokenizer, Path.of(recipe.from()), workspace);
  }

  private record Data(
      TextPairData config, TextPairs pairs, Tokenizer tokenizer, Path from, Workspace workspace)
      implements PreparedData {
    @Override
    public Job job() {
      return new SentenceEmbeddingJob();
    }

    @Override
    public Encoder.Config fit(Model.Config model) {
      Encoder.Config encoder = (Encoder.Config) model;
      Encoder.Head none = new Encoder.Head(false, encoder.head().norm());
      return encoder.with(c -> c.labels(0).head(none));
    }

    @Override
    public Task task(Model model, Recipe recipe, long evaluationBatches) {
      List<TextPairs.Pair> learned = new ArrayList<>(pairs.pairs());
      long seed = recipe.training().seed();
      Collections.shuffle(learned, new Random(seed));
      long wanted = Math.round(config.validation() * learned.size());
      int held = (int) Math.max(1, Math.min(learned.size() - 1, wanted));
      List<TextPairs.Pair> heldOut = List.copyOf(learned.subList(0, held));
      List<TextPairs.Pair> rest = List.copyOf(learned.subList(held, learned.size()));
      try {
        SentenceEncoder encoder = SentenceEncoder.of(from, (Encoder) model, 1);
        int batch = recipe.training().batch();
        return new ContrastiveLearning(encoder, rest, heldOut, config.scale(), batch, seed);
      } catch (IOException e) {
        throw new UncheckedIOException("cannot read how " + from + " embeds sentences", e);
      }
    }

    @Override
    public String fingerprint() {
      return Fingerprint.of(pairs.toString().getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public int checkTeacher(Path folder, Model teacher) {
      SharedVocabulary.check(tokenizer, folder);
      return 0;
    }

    @Override
    public DataSummary summary(Task task) {
      ContrastiveLearning learning = (ContrastiveLearning) task;
      return new DataSummary(
          config.source(), "pairs", learning.trainingPairs(), learning.heldOutPairs(), "");
    }

    @Override
    public void saveCompanions(Path folder) throws IOException {
      if (!Files.exists(folder.resolve(Tokenizer.FILE))) {
        tokenizer.save(folder);
      }
      SideFiles.copyMissing(from, folder);
    }

    @Override
    public void close() {
      workspace.close();
    }
  }

  @Override
  public boolean uses(Model.Config trained) {
    return trained instanceof Encoder.Config encoder
        && encoder.labels() == 0
        && !encoder.head().mlmHead();
  }

  @Override
  public TrainedModel use(Path folder, Model model) {
    return new Use(folder, (Encoder) model);
  }

  /**
   * Measures the embeddings of any encoder.
   *
   * @param data files of scored pairs, or folders of files that end in .tsv
   */
  public static EvaluationResult evaluate(
      SentenceEncoder encoder, List<Path> data, Progress progress) throws IOException {
    List<Path> files = new ArrayList<>();
    for (Path path : data) {
      files.addAll(files(path));
    }
    if (files.isEmpty()) {
      throw new RunException(
          "there is no data to measure the model on: give files of scored pairs");
    }
    List<ScoredPairs> all = files.stream().map(ScoredPairs::read).toList();
    List<EvaluationResult> parts = new ArrayList<>();
    try (Progress.Work work = progress.begin("embedding", files.size(), "files")) {
      for (int i = 0; i < files.size(); i++) {
        parts.add(
            result(
                files.get(i).toString(),
                all.get(i).scores().size(),
                100 * encoder.agreement(all.get(i)),
                List.of()));
        work.at(i + 1L);
      }
    }
    double mean =
        parts.stream()
            .mapToDouble(part -> part.metrics().primary().value())
            .average()
            .orElseThrow();
    long pairs = parts.stream().mapToLong(EvaluationResult::count).sum();
    return result("mean", pairs, mean, parts);
  }

  private static EvaluationResult result(
      String source, long pairs, double spearman, List<EvaluationResult> parts) {
    Metrics metrics = Metrics.of(Metric.higher("spearman", spearman, "x 100"));
    return new EvaluationResult(source, pairs, "pairs", metrics, Map.of(), parts);
  }

  private static List<Path> files(Path data) throws IOException {
    if (!Files.isDirectory(data)) {
      return List.of(data);
    }
    try (Stream<Path> all = Files.list(data)) {
      List<Path> found = all.filter(file -> file.toString().endsWith(".tsv")).sorted().toList();
      if (found.isEmpty()) {
        throw new RunException(data + " holds no .tsv file: expected files of scored pairs");
      }
      return found;
    }
  }

  private static final class Use extends TrainedModel {
    private final Encoder model;

    Use(Path folder, Encoder model) {
      super(new SentenceEmbeddingJob(), folder, model, new EncoderPasses());
      this.model = model;
    }

    /** Measures the embeddings on files of scored pairs of texts. */
    @Override
    public EvaluationResult evaluate(EvaluationRequest request, Progress progress)
        throws IOException {
      SentenceEncoder encoder = SentenceEncoder.of(folder(), model, request.batch());
      return SentenceEmbeddingJob.evaluate(encoder, request.data(), progress);
    }

    @Override
    void calibrate(CalibrationBatches batches, Path data, List<String> endings) throws IOException {
      List<String> texts = new ArrayList<>();
      for (Path file : files(data)) {
        texts.addAll(ScoredPairs.read(file).first());
      }
      EncodedTexts.calibrate(batches, model, Tokenizers.load(folder()), texts, List.of());
    }
  }
}
