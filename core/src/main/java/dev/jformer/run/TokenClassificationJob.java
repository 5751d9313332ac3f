package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.data.Fingerprint;
import dev.jformer.data.text.TaggedTexts;
import dev.jformer.data.text.TextBatch;
import dev.jformer.data.text.Word;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.TokenizerMethod;
import dev.jformer.data.tokenizer.TokenizerTrainer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.data.tokenizer.WordWindows;
import dev.jformer.metrics.EntityScores;
import dev.jformer.metrics.EntitySpan;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.Task;
import dev.jformer.train.TokenClassification;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;

/**
 * The job of token classification: an encoder learns a label for each word of a sentence, such as
 * the tags of named entities.
 */
@AutoService(Job.class)
public record TokenClassificationJob() implements Job {
  private static final long SPLIT_SEED = 20;

  @Override
  public String type() {
    return "token-classification";
  }

  @Override
  public Class<TaggedTextData> data() {
    return TaggedTextData.class;
  }

  @Override
  public Class<Encoder.Config> model() {
    return Encoder.Config.class;
  }

  @Override
  public PreparedData prepare(Recipe recipe, Workspace workspace) throws IOException {
    TaggedTextData data = (TaggedTextData) recipe.data();
    TaggedTexts texts = TaggedTexts.read(Path.of(data.source()));
    TaggedTexts heldOut =
        data.heldOut().isEmpty() ? null : TaggedTexts.read(Path.of(data.heldOut()));
    TreeSet<String> tags = new TreeSet<>(texts.tags());
    if (heldOut != null) {
      tags.addAll(heldOut.tags());
    }
    ClassNames classes = new ClassNames(List.copyOf(tags)).inOrderOf(recipe.relative());
    Path folder = workspace.folder();
    if (tags.size() < 2) {
      throw new RunException(
          data.source() + " has one tag only, " + tags.first() + ": expected two or more");
    }
    if (workspace.isResumed()
        && ClassNames.exists(folder)
        && !ClassNames.load(folder).equals(classes)) {
      throw new RunException(
          data.source()
              + " has other tags than the run in "
              + folder
              + " began with: restore the old file, or start again with --overwrite");
    }
    PretrainedStart.copyTokenizer(recipe, folder);
    Tokenizer tokenizer =
        TextPreparation.tokenizer(
            workspace, data.tokenizer(), method -> learn(texts, method, data.vocabulary()));
    classes.save(folder);
    return new Data(data.source(), texts, heldOut, classes, tokenizer, workspace);
  }

  private static Tokenizer learn(TaggedTexts texts, TokenizerMethod method, int vocabulary)
      throws IOException {
    TokenizerTrainer trainer = method.trainer();
    for (TaggedTexts.Sentence sentence : texts.sentences()) {
      trainer.piece(" " + String.join(" ", sentence.words()) + "\n");
    }
    return trainer.train(vocabulary, done -> {});
  }

  /** Prepares sentences in memory. */
  public static PreparedData of(TaggedTexts texts, Tokenizer tokenizer) {
    return new Data("sentences", texts, null, new ClassNames(texts.tags()), tokenizer, null);
  }

  private record Data(
      String source,
      TaggedTexts texts,
      TaggedTexts heldOut,
      ClassNames classes,
      Tokenizer tokenizer,
      Workspace workspace)
      implements PreparedData {
    @Override
    public Job job() {
      return new TokenClassificationJob();
    }

    @Override
    public Encoder.Config fit(Model.Config config) {
      Encoder.Config encoder = (Encoder.Config) config;
      return encoder
          .sized(tokenizer.vocabularySize(), classes.classes().size())
          .with(c -> c.classifier(encoder.classifier().ofTokens()));
    }

    @Override
    public Task task(Model model, Recipe recipe, long evaluationBatches) {
      Encoder encoder = (Encoder) model;
      List<TokenClassification.Example> all = examples(encoder, texts);
      List<TokenClassification.Example> held = new ArrayList<>();
      if (heldOut == null) {
        Collections.shuffle(all, new Random(SPLIT_SEED));
        double share = ((TaggedTextData) recipe.data()).validation();
        held.addAll(all.subList(0, (int) Math.round(share * all.size())));
        all = all.subList(held.size(), all.size());
      } else {
        held.addAll(examples(encoder, heldOut));
      }
      return new TokenClassification(
          encoder,
          classes.classes(),
          all,
          held,
          recipe.training().batch(),
          recipe.training().seed());
    }

    private List<TokenClassification.Example> examples(Encoder encoder, TaggedTexts some) {
      Progress progress = workspace == null ? Progress.none() : workspace.progress();
      return encode(encoder, some, classes, tokenizer, source, progress);
    }

    @Override
    public String fingerprint() {
      String all = texts.toString() + (heldOut == null ? "" : heldOut);
      return Fingerprint.of(all.getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public int checkTeacher(Path folder, Model teacher) {
      SharedVocabulary.check(tokenizer, folder);
      return classes.checkTeacher(folder);
    }

    @Override
    public DataSummary summary(Task task) {
      TokenClassification tokens = (TokenClassification) task;
      return new DataSummary(
          source,
          "sentences",
          tokens.trainingTexts(),
          tokens.heldOutTexts(),
          classes.classes().size() + " labels");
    }

    @Override
    public void saveCompanions(Path folder) throws IOException {
      classes.save(folder);
      if (!Files.exists(folder.resolve(Tokenizer.FILE))) {
        tokenizer.save(folder);
      }
    }

    @Override
    public void close() {
      if (workspace != null) {
        workspace.close();
      }
    }
  }

  /** Encodes sentences, and tells of those that the model cannot read as a whole. */
  private static List<TokenClassification.Example> encode(
      Encoder model,
      TaggedTexts texts,
      ClassNames classes,
      Tokenizer tokenizer,
      String source,
      Progress progress) {
    int length = model.config().length();
    List<TokenClassification.Example> examples =
        TokenClassification.encode(texts, tokenizer, length, classes.numbers(texts.tags(), source));
    long cut = examples.stream().filter(e -> e.encoding().windows().size() > 1).count();
    if (cut > 0) {
      progress.remark(
          cut
              + (cut == 1 ? " sentence is" : " sentences are")
              + " longer than the model's "
              + length
              + " tokens and read in overlapping windows");
    }
    long words = examples.stream().mapToLong(e -> e.encoding().cutWords()).sum();
    if (words > 0) {
      progress.remark(
          words
              + (words == 1 ? " word is" : " words are")
              + " longer than the model's "
              + length
              + " tokens and cut off");
    }
    return examples;
  }

  @Override
  public boolean uses(Model.Config trained) {
    return trained instanceof Encoder.Config encoder
        && encoder.labels() > 0
        && encoder.classifier().labelsTokens();
  }

  @Override
  public TrainedModel use(Path folder, Model model) {
    return new Use(folder, (Encoder) model);
  }

  /** A trained recogniser of entities. */
  static final class Use extends TrainedModel {
    private final Encoder model;

    Use(Path folder, Encoder model) {
      super(new TokenClassificationJob(), folder, model, new EncoderPasses());
      this.model = model;
    }

    @Override
    public EvaluationResult evaluate(EvaluationRequest request, Progress progress)
        throws IOException {
      Path file = request.only();
      TaggedTexts texts = TaggedTexts.read(file);
      ClassNames classes = names();
      List<TokenClassification.Example> examples =
          encode(model, texts, classes, Tokenizers.load(folder()), file.toString(), progress);
      EntityScores scores = new EntityScores();
      Metrics metrics = TokenClassification.evaluate(model, classes.classes(), examples, scores);
      Map<String, String> types = new LinkedHashMap<>();
      scores.byType().forEach((type, score) -> types.put(type, describe(score)));
      return new EvaluationResult(
          file.toString(), examples.size(), "sentences", metrics, types, List.of());
    }

    private static String describe(EntityScores.Score score) {
      return String.format(
          Locale.ROOT,
          "f1 %.4f, precision %.4f, recall %.4f, %d entities",
          score.f1(),
          score.precision(),
          score.recall(),
          score.entities());
    }

    @Override
    void calibrate(CalibrationBatches batches, Path data, List<String> endings) throws IOException {
      TaggedTexts texts = TaggedTexts.read(data);
      int[] numbers =
          ClassNames.exists(folder())
              ? names().numbers(texts.tags(), data.toString())
              : new int[texts.tags().size()];
      int size = CalibrationBatches.BATCH;
      List<TokenClassification.Example> examples =
          TokenClassification.encode(
              new TaggedTexts(
                  texts.sentences().stream().limit((long) size * batches.most()).toList(),
                  texts.tags()),
              Tokenizers.load(folder()),
              model.config().length(),
              numbers);
      for (int from = 0; from < examples.size(); from += size) {
        List<int[]> ids = new ArrayList<>();
        List<long[]> targets = new ArrayList<>();
        for (TokenClassification.Example example :
            examples.subList(from, Math.min(examples.size(), from + size))) {
          for (WordWindows.Window window : example.encoding().windows()) {
            ids.add(window.ids());
            targets.add(example.targets(window));
          }
        }
        if (!ids.isEmpty()) {
          TextBatch batch = TextBatch.of(ids, model.padding());
          batches.add(batch.ids(), batch.paddingMask(), padded(targets, batch.ids().size(1)));
        }
      }
    }

    private static Tensor padded(List<long[]> rows, long length) {
      long[] all = new long[(int) (rows.size() * length)];
      Arrays.fill(all, -1);
      for (int i = 0; i < rows.size(); i++) {
        System.arraycopy(rows.get(i), 0, all, (int) (i * length), rows.get(i).length);
      }
      return Tensor.of(all, rows.size(), length);
    }

    private ClassNames names() {
      return ClassNames.load(folder(), model.config().labels());
    }

    /** The names of the labels. */
    List<String> labels() {
      return names().classes();
    }

    @Override
    public List<TaggedText> predict(List<String> texts, List<Path> files) throws IOException {
      return entities(EncodedTexts.lines(texts, files));
    }

    /** Finds the entities in texts. */
    List<TaggedText> entities(List<String> texts) {
      List<List<Word>> words = texts.stream().map(Word::split).toList();
      List<List<TokenClassification.WordLabel>> found =
          label(words.stream().map(some -> some.stream().map(Word::text).toList()).toList());
      List<String> names = labels();
      List<TaggedText> results = new ArrayList<>();
      for (int i = 0; i < texts.size(); i++) {
        results.add(tagged(texts.get(i), words.get(i), found.get(i), names));
      }
      return results;
    }

    /** Finds the tag of each word of sentences. */
    List<List<String>> tags(List<List<String>> sentences) {
      List<String> names = labels();
      return label(sentences).stream()
          .map(words -> words.stream().map(word -> names.get(word.label())).toList())
          .toList();
    }

    private List<List<TokenClassification.WordLabel>> label(List<List<String>> sentences) {
      Tokenizer tokenizer = Tokenizers.load(folder());
      return TokenClassification.predict(
          model,
          sentences.stream()
              .map(words -> WordWindows.of(tokenizer, words, model.config().length()))
              .toList(),
          sentences.stream().map(List::size).toList(),
          labels().indexOf("O"));
    }

    private static TaggedText tagged(
        String text,
        List<Word> words,
        List<TokenClassification.WordLabel> found,
        List<String> names) {
      List<Entity> entities = new ArrayList<>();
      for (EntitySpan span :
          EntitySpan.of(found.stream().map(word -> names.get(word.label())).toList())) {
        int start = words.get(span.start()).start();
        int end = words.get(span.end() - 1).end();
        double mean =
            found.subList(span.start(), span.end()).stream()
                .mapToDouble(TokenClassification.WordLabel::probability)
                .average()
                .orElseThrow();
        entities.add(new Entity(span.type(), text.substring(start, end), start, end, mean));
      }
      return new TaggedText(text, entities);
    }
  }
}
