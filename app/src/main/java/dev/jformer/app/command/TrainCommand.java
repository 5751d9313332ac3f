package dev.jformer.app.command;

import dev.jformer.config.Configs;
import dev.jformer.run.Recipe;
import dev.jformer.run.Run;
import dev.jformer.run.RunResult;
import dev.jformer.run.TrainingOutcome;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code jformer train}. */
@Command(
    name = "train",
    header = "Train a model on your data, or resume a training run",
    description =
        """
        Trains a language model on text, a forecaster on the series of a CSV file, a classifier of
        images, of texts or of words, an encoder as a masked language model, a translator, a
        diffusion model that makes images, or a model that fills in parts of images. A run can be
        stopped or killed and resumed.
        """,
    footer =
        """
        Examples:
          jformer train
              Learns from Java source code that comes with the build, in about three minutes.
          jformer train --recipe shakespeare --data input.txt --out runs/play
          jformer train --data src --ending .java --ending .kt \\
              --set data.tokenizer=bpe
          jformer train --recipe my.yaml --set model.mixer.heads=8 --steps 2000
          jformer train --task forecast --data sales.csv --horizon 28 --look-back 56
          jformer train --task images --data photos.zip
              The data is a folder or zip file with a folder of images for each class.
          jformer train --task diffusion --data photos.zip --out runs/photos
              Learns to make such images; 'jformer sample runs/photos --out grid.png' makes some.
          jformer train --task inpainting --data photos.zip --out runs/fill
              Learns to fill in parts of images; see 'jformer inpaint --help'.
          jformer train --task mlm --data book.txt --out runs/encoder
          jformer train --task classify --from runs/encoder --data reviews.tsv
              Each line is a text, a tab and a label. '--from minilm' starts from a model of English.
          jformer train --task tokens --from minilm --data names.conll
              Each line is a word, a tab and a tag; an empty line ends a sentence.
          jformer train --task program --data questions.tsv
              Learns a readable program that labels texts, or the words of a CoNLL file.
          jformer train --task translate \\
              --source train.en.gz --target train.de.gz \\
              --validation-source val.en.gz --validation-target val.de.gz
              Line n of the target is the translation of line n of the source.
          jformer train --task instruct --from MODEL --data answers.jsonl \\
              --adapter eva --set adapter.rank=16
              Trains a small adapter of a language model on prompts and their answers;
              'jformer export --merge' makes a model of it.
          jformer train --recipe shakespeare --data input.txt \\
              --teacher runs/play --set model.layers=2
              A smaller model learns from the predictions of a larger one.
          jformer train --task sequences --set data.problem=list-ops --pretrain masked
              An encoder first restores hidden parts of the sequences, then learns their classes.
          jformer train --resume runs/play
          jformer train --resume runs/play --steps 5000
              Trains a run longer than its recipe said.

        A recipe is a JSON or YAML file with the fields model, data and training; fields that it
        leaves out keep their defaults. 'jformer info --recipe NAME' prints a recipe with all its
        fields.
        """)
final class TrainCommand implements Callable<Integer> {
  private static final String DISTILLATION = "distillation";

  /** By the job of a run, a command that uses its model. */
  private static final Map<String, String> USES =
      Map.ofEntries(
          Map.entry("language-modelling", "jformer generate %s --prompt '...'"),
          Map.entry("recurrent-language-modelling", "jformer eval %s"),
          Map.entry("instruction-tuning", "jformer generate %s --prompt '...'"),
          Map.entry("sentence-embedding", "jformer eval %s --data scored-pairs.tsv"),
          Map.entry(
              "masked-language-modelling",
              "jformer train --task classify --from %s --data texts.tsv"),
          Map.entry("text-classification", "jformer predict %s --text '...'"),
          Map.entry("token-classification", "jformer predict %s --text '...'"),
          Map.entry("image-classification", "jformer predict %s picture.jpg"),
          Map.entry("pixel-classification", "jformer predict %s picture.jpg"),
          Map.entry("pixel-sequences", "jformer predict %s picture.jpg"),
          Map.entry("audio-classification", "jformer predict %s recording.wav"),
          Map.entry("sequence-classification", "jformer eval %s"),
          Map.entry("denoising-translation", "jformer translate %s '...'"),
          Map.entry("translation", "jformer translate %s '...'"),
          Map.entry("forecasting", "jformer forecast %s --data series.csv --out next.csv"),
          Map.entry("algorithm", "jformer eval %s"),
          Map.entry("program", "jformer program %s"),
          Map.entry("word-program", "jformer program %s"),
          Map.entry("diffusion", "jformer sample %s --count 16 --out grid.png"),
          Map.entry("inpainting", "jformer inpaint %s image.png --mask mask.png --out fills.png"),
          Map.entry("in-context", "jformer eval %s"),
          Map.entry("decisions", "jformer eval %s"),
          Map.entry("exemplars", "jformer eval %s"));

  @Option(
      names = "--recipe",
      paramLabel = "NAME|FILE",
      completionCandidates = Completion.Recipes.class,
      description =
          "java, shakespeare, forecast, images, poolformer, mlm, classify, tokens, sequences,"
              + " pixels, audio, fine-tune, fine-tune-tokens, fine-tune-text, fine-tune-mlm,"
              + " fine-tune-embed, instruct, translate, algorithm, program, program-words,"
              + " diffusion, inpainting, in-context, decisions, exemplars, or a JSON or YAML file"
              + " (default: the recipe of the task).")
  private String named;

  @Option(
      names = "--task",
      paramLabel = "TASK",
      completionCandidates = Completion.Tasks.class,
      description =
          "text, forecast, images, mlm, classify, tokens, sequences, pixels, audio, embed,"
              + " instruct, translate, algorithm, program, diffusion, inpainting, in-context,"
              + " decisions or exemplars (default text): takes the recipe that suits such data.")
  private String task;

  @Option(
      names = "--horizon",
      paramLabel = "ROWS",
      description = "How many rows a forecaster predicts (model.horizon).")
  private Integer horizon;

  @Option(
      names = "--look-back",
      paramLabel = "ROWS",
      description = "How many rows a forecaster reads (model.lookBack).")
  private Integer lookBack;

  @Option(
      names = "--data",
      paramLabel = "PATH",
      description =
          "The training data: text (a file, folder, zip or jar), a CSV file, images or recordings"
              + " (a folder or zip), a file of labelled texts, a CoNLL file of tagged words, or a"
              + " JSONL file of samples.")
  private Path data;

  @Mixin private PairOptions pairs;

  @Option(
      names = "--validation-source",
      paramLabel = "FILE",
      description = "Texts to validate on (default: some of --source are held out).")
  private Path validationSource;

  @Option(names = "--validation-target", paramLabel = "FILE", description = "Their translations.")
  private Path validationTarget;

  @Option(
      names = "--from",
      paramLabel = "FOLDER",
      description =
          "Fine-tune this model: start with its configuration and weights, with a low learning"
              + " rate. A folder, or minilm or bge-small, which come with the build.")
  private Path from;

  @Option(
      names = "--adapter",
      paramLabel = "KIND",
      completionCandidates = Completion.Adapters.class,
      description =
          "Train a small adapter beside the frozen weights of --from: lora, rslora, dora, pissa,"
              + " eva, affiner or bitfit, with --set adapter.rank=N and the like. The folder then"
              + " holds the adapter.")
  private String adapter;

  @Option(
      names = "--pretrain",
      paramLabel = "KIND",
      completionCandidates = Completion.Denoising.class,
      description =
          "First let an encoder learn the same data without its labels, for as many steps: masked"
              + " (restore hidden tokens; --set pretraining.objective.share=S) or causal (predict"
              + " the next token; the model then looks back only). --set pretraining.steps=N sets"
              + " how long. For classes of texts, sequences and pixels.")
  private String pretrain;

  @Option(
      names = "--teacher",
      paramLabel = "FOLDER",
      description =
          "Learn from the predictions of this trained model too (distillation): one for the same"
              + " classes or the same tokens, which the new model then has. --set"
              + " objective.temperature=T, objective.share=A and objective.hidden=B weigh it.")
  private Path teacher;

  @Option(
      names = "--ending",
      paramLabel = ".EXT",
      description = "Only files of a folder or zip whose names end with this; may be repeated.")
  private String[] endings = {};

  @Option(
      names = "--steps",
      paramLabel = "N",
      description =
          "How many updates of the weights (training.steps); with --resume more than before, to"
              + " train longer.")
  private Integer steps;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "The seed of all random numbers (training.seed).")
  private Long seed;

  @Mixin private FieldOptions overrides;

  @Option(
      names = "--out",
      paramLabel = "FOLDER",
      description = "The folder of the run (default runs/ and the name of the recipe or task).")
  private Path out;

  @Option(
      names = "--resume",
      paramLabel = "FOLDER",
      description = "Continue this run from its newest checkpoint.")
  private Path resume;

  @Mixin private OverwriteOption overwrite;

  @Option(
      names = "--sample",
      paramLabel = "TEXT",
      description = "Print a continuation of this text after each evaluation.")
  private String sample;

  @Mixin private QuietOption progress;

  @Mixin private JsonOption json;

  @Override
  public Integer call() throws Exception {
    Console console = progress.console();
    if (resume != null) {
      if (data != null
          || out != null
          || !overrides.fields().isEmpty()
          || seed != null
          || horizon != null
          || lookBack != null
          || from != null
          || adapter != null
          || teacher != null
          || pretrain != null
          || pairs.source() != null
          || pairs.target() != null) {
        throw new CommandException(
            "--resume continues a run with its own recipe: leave out --data, --out, --set, --seed,"
                + " --horizon, --look-back, --from, --adapter, --teacher, --pretrain, --source and"
                + " --target");
      }
      Run run = steps == null ? Run.reopen(resume) : Run.reopen(resume, steps);
      return train(run.withPrompt(sample), resume, console);
    }
    TrainTask chosenTask = task == null ? TrainTask.TEXT : TrainTask.named(task);
    String recipe = named != null ? named : chosenTask.recipe(from, data);
    RecipeFields fields = fields(recipe);
    if (adapter != null && adapter.equals("none")) {
      adapter = null;
    }
    if (adapter != null && from == null && named == null) {
      throw new CommandException(
          "--adapter " + adapter + " trains beside a trained model: give that with --from");
    }
    if (from != null && named == null) {
      checkShapeIsKept();
    }
    Map<String, String> gentler =
        named != null ? Map.of() : chosenTask.gentler(from, adapter != null);
    gentler.forEach((path, rate) -> console.say("fine-tuning: %s=%s", path, rate));
    Recipe chosen = Recipes.load(recipe, fields.all(gentler));
    if (named != null && task != null) {
      chosenTask.check(named, chosen);
    }
    boolean ofUser = named == null && chosenTask == TrainTask.TEXT && from == null && data != null;
    Recipe complete =
        Recipes.withData(
            recipe, ofUser ? Recipes.ofAllFiles(chosen) : chosen, data, List.of(endings));
    boolean own = Recipes.bringsData(recipe, chosen, data);
    Path folder =
        out == null ? Path.of("runs", ofUser ? chosenTask.toString() : Recipes.name(recipe)) : out;
    String prompt = sample == null && own ? DefaultCorpus.PROMPT : sample;
    return train(
        Run.begin(complete, folder, overwrite.isSet()).withPrompt(prompt), folder, console);
  }

  /** Trains and reports; the exit code of the program. */
  private int train(Run run, Path folder, Console console) throws IOException {
    RunResult result = TrainingSession.train(run, folder, console);
    TrainingOutcome training = result.training();
    if (result.isInterrupted()) {
      if (json.isSet()) {
        json.printer().print(TrainingReport.of(result));
      }
      console.say(
          "stopped at step %d; continue with: jformer train --resume %s", training.steps(), folder);
      return Interruption.EXIT_CODE;
    }
    json.printer().print(TrainingReport.of(result), report -> TrainingReport.text(result));
    if (training.bestStep() == 0 && !run.recipe().from().isEmpty()) {
      console.say("no update made the model better: the one before training is kept");
    }
    String use = USES.getOrDefault(result.job(), "jformer info %s").formatted(folder);
    String what = run.recipe().adapter().isNone() ? "model" : "adapter";
    console.say("the %s is in %s; try: %s", what, folder, use);
    console.say("report: %s", folder.resolve(RunReport.FILE));
    return 0;
  }

  /** A trained model keeps its shape, so fields of the model would have no effect. */
  private void checkShapeIsKept() {
    List<String> shape = new ArrayList<>();
    if (horizon != null) {
      shape.add("--horizon");
    }
    if (lookBack != null) {
      shape.add("--look-back");
    }
    overrides.fields().keySet().stream()
        .filter(field -> field.startsWith("model."))
        .forEach(shape::add);
    if (!shape.isEmpty() && !overrides.fields().containsKey("model")) {
      throw new CommandException(
          String.join(", ", shape)
              + ": the model of --from keeps its shape; set data.length for shorter windows of"
              + " text, or model=TYPE for a model of another kind that begins with its weights");
    }
  }

  /** The fields of the recipe that are set. */
  private RecipeFields fields(String recipe) {
    RecipeFields fields = new RecipeFields(overrides.fields());
    fields.option("--steps", "training.steps", steps);
    fields.option("--seed", "training.seed", seed);
    fields.option("--horizon", "model.horizon", horizon);
    fields.option("--look-back", "model.lookBack", lookBack);
    fields.option("--from", "from", from == null ? null : Pretrained.find(from).toAbsolutePath());
    fields.option("--adapter", "adapter", adapter);
    if (teacher != null) {
      boolean distils = Recipes.load(recipe, Map.of()).objective().type().equals(DISTILLATION);
      fields.option("--teacher", "objective", distils ? null : DISTILLATION);
      fields.option("--teacher", "objective.teacher", Pretrained.find(teacher).toAbsolutePath());
    }
    if (pretrain != null) {
      fields.option("--pretrain", "pretraining.objective", "denoising");
      fields.option("--pretrain", "pretraining.objective.kind", pretrain);
      boolean looksBack = Configs.write(Recipes.load(recipe, Map.of()).model()).has("causal");
      boolean causal = pretrain.equals("causal") && from == null && looksBack;
      fields.option("--pretrain", "model.causal", causal ? true : null);
    }
    fields.option("--source", "data.source", absolute(pairs.source()));
    fields.option("--target", "data.target", absolute(pairs.target()));
    fields.option("--validation-source", "data.validationSource", absolute(validationSource));
    fields.option("--validation-target", "data.validationTarget", absolute(validationTarget));
    return fields;
  }

  private static Path absolute(Path file) {
    return file == null ? null : file.toAbsolutePath();
  }
}
