package dev.jformer.app.command;

import dev.jformer.config.Configs;
import dev.jformer.config.Nearest;
import dev.jformer.hub.Models;
import dev.jformer.io.AtomicFile;
import dev.jformer.model.Model;
import dev.jformer.nas.AgeingEvolution;
import dev.jformer.nas.ConfigurationSpace;
import dev.jformer.nas.StudentScore;
import dev.jformer.nas.StudentSearch;
import dev.jformer.run.Jobs;
import dev.jformer.run.PreparedData;
import dev.jformer.run.Recipe;
import dev.jformer.train.Distillation;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code jformer search}. */
@Command(
    name = "search",
    header = "Search for a small model that will learn from a teacher",
    description =
        """
        Scores models of random weights on one batch beside the teacher's shape, without training
        them (DisWOT, arXiv 2303.15678), and improves them by evolution. The best recipe is written
        to a file, to be trained with the teacher.
        """,
    footer =
        """
        Examples:
          jformer search --task images --data photos.zip --teacher runs/photos \\
              --choose model.layers=2,3,4 --choose model.width=48,64,96 \\
              --most-weights 200000 --out student.json
          jformer train --recipe student.json --out runs/student
        """)
final class SearchCommand implements Callable<Integer> {
  private static final int SHOWN = 10;

  @Option(
      names = "--recipe",
      paramLabel = "NAME|FILE",
      completionCandidates = Completion.Recipes.class,
      description = "The recipe of the student (default: that of the task).")
  private String named;

  @Option(
      names = "--task",
      paramLabel = "TASK",
      completionCandidates = Completion.Tasks.class,
      description = "The kind of task, as for 'jformer train' (default text).")
  private String task;

  @Option(
      names = "--data",
      paramLabel = "PATH",
      description = "The training data; one batch of it is read.")
  private Path data;

  @Option(
      names = "--teacher",
      required = true,
      paramLabel = "FOLDER",
      description = "The trained model that the student will learn from.")
  private Path teacher;

  @Option(
      names = "--choose",
      required = true,
      paramLabel = "FIELD=A,B",
      description = "Values to choose from for a field of the model; may be repeated.")
  private List<String> choices = new ArrayList<>();

  @Option(
      names = "--score",
      paramLabel = "KIND",
      description =
          "diswot, parameters, flops, snip or synflow, or JSON with its fields (default diswot).")
  private String score = "diswot";

  @Option(
      names = "--most-weights",
      paramLabel = "N",
      description = "The most weights that the student may have (default: any number).")
  private long most = Long.MAX_VALUE;

  @Option(
      names = "--evaluations",
      paramLabel = "N",
      description = "The number of models to score (default ${DEFAULT-VALUE}).")
  private int evaluations = 100;

  @Option(
      names = "--population",
      paramLabel = "N",
      description = "The size of the population (default ${DEFAULT-VALUE}).")
  private int population = 20;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "The seed of the search (default ${DEFAULT-VALUE}).")
  private long seed = 1;

  @Mixin private FieldOptions overrides;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "The file for the best recipe (default student.json).")
  private Path out = Path.of("student.json");

  @Mixin private OverwriteOption overwrite;

  @Mixin private QuietOption progress;

  @Mixin private JsonOption json;

  /** One of the best configurations. */
  record Student(int place, double score, long weights, Map<String, String> chosen) {}

  /** What a search found. */
  record Found(int scored, double seconds, List<Student> best, String recipe) {}

  @Override
  public Integer call() throws Exception {
    ConfigurationSpace space = space();
    if (Files.exists(out) && !overwrite.isSet()) {
      throw new CommandException(
          out + " exists already: give another file with --out, or --overwrite");
    }
    Path folder = Pretrained.find(teacher).toAbsolutePath();
    Recipe recipe = recipe(folder);
    StudentScore scored = score();
    Console console = progress.console();
    long start = System.nanoTime();
    try (Model teaching = Models.load(folder);
        PreparedData prepared = Jobs.prepare(recipe);
        StudentSearch search =
            new StudentSearch(recipe, prepared, teaching.config(), scored)
                .withMostParameters(most)) {
      List<AgeingEvolution.Scored> all;
      try (Console.Bar bar = console.begin("scoring", evaluations, "models")) {
        int size = Math.min(population, evaluations);
        AgeingEvolution evolution =
            new AgeingEvolution(evaluations, Math.max(2, size), Math.max(1, size / 4), seed);
        all = search.run(space, evolution, bar::at);
      }
      Recipe best = search.recipe(all.get(0).chosen());
      AtomicFile.write(out, Configs.toJson(best).getBytes(StandardCharsets.UTF_8));
      double seconds = (System.nanoTime() - start) / 1e9;
      json.printer()
          .print(
              new Found(all.size(), seconds, students(search, all), out.toString()),
              SearchCommand::text);
      console.say("train it: jformer train --recipe %s", out);
    }
    return 0;
  }

  private Recipe recipe(Path folder) {
    TrainTask chosenTask = task == null ? TrainTask.TEXT : TrainTask.named(task);
    String name = named != null ? named : chosenTask.recipe(null, data);
    Recipe recipe = Recipes.withData(name, Recipes.load(name, overrides.fields()), data, List.of());
    if (recipe.objective() instanceof Distillation distillation) {
      return recipe.withObjective(distillation.withTeacher(folder.toString()));
    }
    return recipe.withObjective(new Distillation().withTeacher(folder.toString()));
  }

  private ConfigurationSpace space() {
    Map<String, List<String>> fields = new LinkedHashMap<>();
    for (String choice : choices) {
      int equals = choice.indexOf('=');
      if (equals < 1 || equals == choice.length() - 1) {
        throw new CommandException(
            "--choose is '" + choice + "': expected a field and values, as model.layers=2,3,4");
      }
      fields.put(choice.substring(0, equals), List.of(choice.substring(equals + 1).split(",", -1)));
    }
    return new ConfigurationSpace(fields);
  }

  private StudentScore score() {
    if (score.startsWith("{")) {
      return Configs.parse(score, StudentScore.class);
    }
    Map<String, StudentScore> known = Configs.parts(StudentScore.class);
    StudentScore found = known.get(score);
    if (found == null) {
      throw new CommandException(
          "there is no score '"
              + score
              + "'"
              + Nearest.hint(score, known.keySet())
              + ": expected "
              + String.join(", ", known.keySet()));
    }
    return found;
  }

  private static List<Student> students(StudentSearch search, List<AgeingEvolution.Scored> all) {
    List<Student> best = new ArrayList<>();
    for (AgeingEvolution.Scored each : all.subList(0, Math.min(SHOWN, all.size()))) {
      if (each.score() > Double.NEGATIVE_INFINITY) {
        long weights = search.parameters(each.chosen());
        best.add(new Student(best.size() + 1, each.score(), weights, each.chosen()));
      }
    }
    return best;
  }

  private static String text(Found found) {
    StringBuilder text = new StringBuilder();
    for (Student student : found.best()) {
      String chosen =
          student.chosen().entrySet().stream()
              .map(e -> e.getKey().replaceFirst("^model\\.", "") + "=" + e.getValue())
              .collect(Collectors.joining(" "));
      text.append(
          "%2d  score %s  %,d weights  %s%n"
              .formatted(
                  student.place(), Printer.number(student.score()), student.weights(), chosen));
    }
    return text.append(
            "%d models scored in %.1f s; the recipe of the best is %s"
                .formatted(found.scored(), found.seconds(), found.recipe()))
        .toString();
  }
}
