package dev.jformer.app.command;

import dev.jformer.decode.BeamSearch;
import dev.jformer.hub.Models;
import dev.jformer.hub.SentenceEncoder;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.model.Model;
import dev.jformer.tensor.Scope;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jformer eval}. */
@Command(
    name = "eval",
    mixinStandardHelpOptions = true,
    description = {
      "Measure how well a model does: how well a language model predicts text, or an encoder fills",
      "in what is masked; which share of images or labelled texts a classifier gets right; with",
      "--task sts, how well an encoder's embeddings tell how alike texts are; the BLEU of",
      "translations, as sacrebleu has it."
    },
    footer = {
      "",
      "Examples:",
      "  jformer eval runs/play                  on the text held out when it was trained",
      "  jformer eval runs/play --data other.txt",
      "  jformer eval runs/images --data test.zip",
      "  jformer eval runs/classify --data dev.tsv",
      "  jformer eval minilm --task sts --data sts14-images.tsv sts14-OnWN.tsv",
      "      Lines of a score, a tab, a text, a tab and another text.",
      "  jformer eval runs/translate --task translate --source test.en --target test.de --beam 5"
    })
final class EvalCommand implements Callable<Integer> {
  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      description = "A model's folder, or what 'jformer embed' takes.")
  private Path model;

  @Parameters(index = "1..*", paramLabel = "PATH", description = "More data, for --task sts.")
  private List<Path> more = List.of();

  @Option(
      names = "--task",
      paramLabel = "TASK",
      description = "sts, for embeddings, or translate; otherwise what the model was trained for.")
  private String task;

  @Option(
      names = "--data",
      paramLabel = "PATH",
      description =
          "Text (default: what was held out in training); images or labelled texts for a classifier.")
  private List<Path> data = List.of();

  @Option(names = "--ending", paramLabel = ".EXT", description = "Only files that end so.")
  private List<String> endings = List.of();

  @Option(
      names = "--source",
      paramLabel = "FILE",
      description = "Texts to translate, one a line, plain or compressed by gzip.")
  private Path source;

  @Option(names = "--target", paramLabel = "FILE", description = "Their translations.")
  private Path target;

  @Option(
      names = "--beam",
      paramLabel = "K",
      description = "Translations followed at a time (default ${DEFAULT-VALUE}).")
  private int beam = 5;

  @Option(names = "--batch", description = "Sequences at a time (default ${DEFAULT-VALUE}).")
  private int batch = 16;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Option(names = "--quiet", description = "Show no progress, only the result.")
  private boolean quiet;

  @Override
  public Integer call() throws Exception {
    Console console = new Console(quiet, json);
    List<Path> all = new ArrayList<>(data);
    all.addAll(more);
    Path folder = Pretrained.find(model);
    if (source != null || "translate".equals(task)) {
      return translation(folder, all, console);
    }
    if (task != null) {
      return likeness(folder, all, console);
    }
    if (all.size() > 1) {
      throw new CommandException(
          "--data names " + all.size() + " paths, which only --task sts takes");
    }
    Path only = all.isEmpty() ? null : all.get(0);
    try (Scope scope = Scope.open();
        Model loaded = Models.load(folder)) {
      loaded.train(false);
      System.out.println(new Evaluation(folder, only, endings, batch, json, console).of(loaded));
      return 0;
    }
  }

  private int translation(Path folder, List<Path> data, Console console) throws IOException {
    if (source == null || target == null || !data.isEmpty()) {
      throw new CommandException(
          "give the texts to translate with --source, their translations with --target");
    }
    try (Scope scope = Scope.open();
        EncoderDecoder loaded = TranslateCommand.load(folder)) {
      BeamSearch.Settings settings = new BeamSearch.Settings(beam);
      System.out.println(
          new TranslationScore(folder, source, target, settings, batch, json, console).of(loaded));
      return 0;
    }
  }

  private int likeness(Path folder, List<Path> files, Console console) throws IOException {
    if (!task.equals("sts")) {
      throw new CommandException("no task '" + task + "': there are sts and translate");
    }
    if (files.isEmpty()) {
      throw new CommandException("give the pairs of texts with --data");
    }
    try (Scope scope = Scope.open();
        SentenceEncoder encoder = SentenceEncoder.load(folder, batch)) {
      System.out.println(new StsEvaluation(files, json, console).of(encoder));
      return 0;
    }
  }
}
