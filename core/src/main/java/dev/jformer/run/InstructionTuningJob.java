package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.data.Fingerprint;
import dev.jformer.data.text.EncodedSample;
import dev.jformer.data.text.Sample;
import dev.jformer.data.text.SampleEncoder;
import dev.jformer.data.text.SampleFile;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.decode.Generator;
import dev.jformer.decode.Sampling;
import dev.jformer.hub.ChatTemplate;
import dev.jformer.hub.StopTokens;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.train.InstructionTuning;
import dev.jformer.train.PreferenceOptimization;
import dev.jformer.train.Task;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * The job of fine-tuning a trained language model on samples: it learns the answers to prompts, or
 * whole texts, each sample by itself.
 */
@AutoService(Job.class)
public record InstructionTuningJob() implements Job {
  private static final int SAMPLED_TOKENS = 100;

  @Override
  public String type() {
    return "instruction-tuning";
  }

  @Override
  public Class<SampleData> data() {
    return SampleData.class;
  }

  @Override
  public Class<CausalLm.Config> model() {
    return CausalLm.Config.class;
  }

  @Override
  public PreparedData prepare(Recipe recipe, Workspace workspace) throws IOException {
    if (recipe.from().isEmpty()) {
      throw new RunException(
          "samples are for fine-tuning a trained language model: give it with --from");
    }
    SampleData data = (SampleData) recipe.data();
    List<Sample> samples = SampleFile.read(Path.of(data.source()));
    PretrainedStart.copyTokenizer(recipe, workspace.folder());
    Path from = Path.of(recipe.from());
    Tokenizer tokenizer = Tokenizers.load(workspace.folder());
    Set<Integer> ends = StopTokens.of(from, tokenizer);
    OptionalInt end =
        tokenizer.endOfText().isPresent() && ends.contains(tokenizer.endOfText().getAsInt())
            ? tokenizer.endOfText()
            : ends.stream().mapToInt(Integer::intValue).findFirst();
    long preferences = samples.stream().filter(Sample::isPreference).count();
    if (preferences > 0 && preferences < samples.size()) {
      throw new RunException(
          data.source()
              + " holds "
              + preferences
              + " pairs of a chosen and a rejected answer among "
              + samples.size()
              + " samples: expected such pairs only, or none");
    }
    SampleEncoder encoder = new SampleEncoder(tokenizer, end);
    ConversationEncoder conversations =
        samples.stream().anyMatch(Sample::hasMessages)
            ? conversations(data, from, tokenizer)
            : null;
    return new Data(
        data,
        samples,
        encoder,
        conversations,
        ends,
        workspace,
        new String[2],
        new PreferencePairs());
  }

  private static ConversationEncoder conversations(SampleData data, Path from, Tokenizer tokenizer)
      throws IOException {
    ChatTemplate template =
        ChatTemplate.of(from)
            .orElseThrow(
                () ->
                    new RunException(
                        data.source()
                            + " holds messages, but the model in "
                            + from
                            + " has no chat template, which would say how they become a text: take"
                            + " a model that has one, or give prompts with completions"));
    return new ConversationEncoder(template, tokenizer, data.source());
  }

  @Override
  public boolean uses(Model.Config trained) {
    return false; // what comes of it is a language model
  }

  @Override
  public TrainedModel use(Path folder, Model model) {
    return new LanguageModellingJob().use(folder, model);
  }

  /**
   * Prepared samples.
   *
   * @param conversations converts conversations; null if there are none
   * @param ends the tokens that end a text of the model
   * @param preferences pairs with likelihoods by the model before training, once they are known
   * @param shown the prompt and the answer of the held-out sample that evaluations show
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Data(
      SampleData config,
      List<Sample> samples,
      SampleEncoder encoder,
      ConversationEncoder conversations,
      Set<Integer> ends,
      Workspace workspace,
      String[] shown,
      PreferencePairs preferences)
      implements PreparedData {
    @Override
    public Job job() {
      return new InstructionTuningJob();
    }

    @Override
    public Model.Config fit(Model.Config model) {
      int vocabulary = encoder.tokenizer().vocabularySize();
      if (vocabulary > ((CausalLm.Config) model).vocab()) {
        throw new RunException(
            "the tokenizer has "
                + vocabulary
                + " tokens, but the model's vocabulary "
                + ((CausalLm.Config) model).vocab()
                + ": use the model's own tokenizer");
      }
      return model;
    }

    /** Which samples are held out: at least one, and one is learned. */
    private boolean[] heldOut(long seed) {
      int count = samples.size();
      if (count < 2) {
        throw new RunException(
            config.source() + " has one sample only: expected two or more, one is held out");
      }
      int wanted = (int) Math.max(1, Math.min(count - 1, Math.round(config.validation() * count)));
      boolean[] out = new boolean[count];
      SplittableRandom random = new SplittableRandom(seed);
      for (int left = wanted; left > 0; ) {
        int i = random.nextInt(count);
        if (!out[i]) {
          out[i] = true;
          left--;
        }
      }
      return out;
    }

    @Override
    public Task task(Model model, Recipe recipe, long evaluationBatches) {
      CausalLm lm = (CausalLm) model;
      int most = longest(lm);
      boolean[] out = heldOut(recipe.training().seed());
      if (samples.get(0).isPreference()) {
        return preferences(lm, recipe, out, most);
      }
      List<EncodedSample> learned = new ArrayList<>();
      List<EncodedSample> held = new ArrayList<>();
      int cut = 0;
      int empty = 0;
      for (int i = 0; i < samples.size(); i++) {
        EncodedSample whole = encoded(samples.get(i));
        EncodedSample fitted = whole.cut(most);
        cut += whole.ids().length > most ? 1 : 0;
        if (fitted.targets() == 0) {
          empty++;
        } else {
          (out[i] ? held : learned).add(fitted);
          show(samples.get(i), out[i]);
        }
      }
      remark(cut, empty, most);
      expectBoth(learned, held, most);
      long seed = recipe.training().seed();
      int batch = recipe.training().batch();
      return config.packing()
          ? InstructionTuning.packed(lm, learned, held, most, batch, seed)
          : new InstructionTuning(lm, learned, held, batch, seed);
    }

    private EncodedSample encoded(Sample sample) {
      return sample instanceof Sample.Conversation conversation
          ? conversations.encode(conversation)
          : encoder.encode(sample);
    }

    /** The tokens of the better answer and of the other one, each with its prompt. */
    private List<EncodedSample> answers(Sample sample) {
      if (sample instanceof Sample.ConversationPreference pair) {
        return List.of(conversations.encode(pair.chosen()), conversations.encode(pair.rejected()));
      }
      Sample.Preference pair = (Sample.Preference) sample;
      return List.of(
          encoder.answered(pair.prompt(), pair.chosen()),
          encoder.answered(pair.prompt(), pair.rejected()));
    }

    private Task preferences(CausalLm model, Recipe recipe, boolean[] out, int most) {
      if (config.packing()) {
        throw new RunException(
            "data.packing is true, but pairs of a chosen and a rejected answer stand in rows of"
                + " their own: set it to false");
      }
      List<PreferenceOptimization.Pair> learned = new ArrayList<>();
      List<PreferenceOptimization.Pair> held = new ArrayList<>();
      List<PreferenceOptimization.Pair> all =
          preferences.of(model, samples, this::answers, most, workspace.progress());
      for (int i = 0; i < all.size(); i++) {
        if (all.get(i) != null) {
          (out[i] ? held : learned).add(all.get(i));
        }
      }
      expectBoth(learned, held, most);
      int batch = recipe.training().batch();
      long seed = recipe.training().seed();
      return new PreferenceOptimization(model, learned, held, config.beta(), batch, seed);
    }

    private static void expectBoth(List<?> learned, List<?> held, int most) {
      if (learned.isEmpty() || held.isEmpty()) {
        throw new RunException(
            "no sample has an answer within its first "
                + most
                + " tokens to learn from or to evaluate on: raise data.length");
      }
    }

    private int longest(CausalLm model) {
      long most = Math.min(model.config().length(), model.longest());
      return (int) (config.length() == 0 ? most : Math.min(most, config.length()));
    }

    private void remark(int cut, int empty, int most) {
      if (cut > 0) {
        workspace
            .progress()
            .remark(
                "%,d of %,d samples are longer than %,d tokens and are cut there; data.length sets it"
                    .formatted(cut, samples.size(), most));
      }
      if (empty > 0) {
        workspace
            .progress()
            .remark(
                "%,d samples are left out, because their prompts alone are as long"
                    .formatted(empty));
      }
    }

    @Override
    public String fingerprint() {
      return Fingerprint.of(samples.toString().getBytes(StandardCharsets.UTF_8));
    }

    @Override
    public int checkTeacher(Path folder, Model teacher) {
      return SharedVocabulary.check(encoder.tokenizer(), folder);
    }

    @Override
    public DataSummary summary(Task task) {
      String tokens = "%,d tokens a batch".formatted(task.unitsPerBatch());
      if (task instanceof PreferenceOptimization pairs) {
        return new DataSummary(
            config.source(), "pairs", pairs.trainingPairs(), pairs.heldOutPairs(), tokens);
      }
      InstructionTuning tuning = (InstructionTuning) task;
      return new DataSummary(
          config.source(), "samples", tuning.trainingSamples(), tuning.heldOutSamples(), tokens);
    }

    @Override
    public void checkPrompt(Model model, String prompt) {
      int length = encoder.tokenizer().encodePrompt(prompt).length;
      long most = ((CausalLm) model).longest();
      if (length == 0 || length >= most) {
        throw new RunException(
            "the text to sample from has "
                + length
                + " tokens: expected at least one and less than "
                + most);
      }
    }

    /** Answers the prompt, or else that of a held-out sample, always by the likeliest tokens. */
    @Override
    public String sample(Model model, String prompt) {
      String asked = prompt != null ? prompt : shown[0];
      if (asked == null) {
        return null;
      }
      CausalLm lm = (CausalLm) model;
      boolean rendered = prompt == null && conversations != null;
      Tokenizer tokenizer = encoder.tokenizer();
      int[] ids = rendered ? tokenizer.encode(asked) : tokenizer.encodePrompt(asked);
      int room = (int) Math.min(SAMPLED_TOKENS, lm.longest() - ids.length);
      if (ids.length == 0 || room < 1) {
        return null;
      }
      Generator.Request request =
          new Generator.Request(room, Sampling.GREEDY, ends, List.of(), true);
      String answer =
          new Generator(lm).generate(List.of(ids), request, tokenizer::decode, null).get(0).text();
      return asked + answer + (prompt != null ? "" : "\n(expected: " + shown[1] + ")");
    }

    private void show(Sample sample, boolean isHeldOut) {
      if (isHeldOut && shown[0] == null && sample instanceof Sample.Completion pair) {
        shown[0] = pair.prompt();
        shown[1] = pair.completion();
      }
      if (isHeldOut && shown[0] == null && sample instanceof Sample.Conversation conversation) {
        shown[0] = conversations.lastPrompt(conversation);
        shown[1] = conversation.messages().get(conversation.messages().size() - 1).content();
      }
    }

    @Override
    public void saveCompanions(Path folder) throws IOException {
      if (!Files.exists(folder.resolve(Tokenizer.FILE))) {
        encoder.tokenizer().save(folder);
      }
    }

    @Override
    public void close() {
      workspace.close();
    }
  }
}
