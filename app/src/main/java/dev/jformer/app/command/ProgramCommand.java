package dev.jformer.app.command;

import dev.jformer.io.AtomicFile;
import dev.jformer.program.DiscreteProgram;
import dev.jformer.program.JavaWriter;
import dev.jformer.program.PythonWriter;
import dev.jformer.run.ProgramJob;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jformer program}. */
@Command(
    name = "program",
    header = "Write what a model has learned as a program",
    description =
        """
        Writes the model of a run of 'jformer train --task program' as a readable program (Learning
        Transformer Programs, arXiv 2306.01128), in Java or in Python by the name of the file. The
        program gives the model's labels, needs nothing else, and labels the tokens or words that
        are given as its arguments. What decides next to nothing on examples of the training is left
        out.
        """,
    footer =
        """
        Examples:
          jformer train --task program --set data.problem.task=sort --out runs/sort
          jformer program runs/sort --out Sort.java
          java Sort.java '<s>' 3 1 2 '</s>'
          jformer program runs/sort --out sort.py
          jformer train --task program --data questions.tsv --out runs/questions
          jformer program runs/questions --out Question.java
          java Question.java Who wrote Hamlet '?'
        """)
final class ProgramCommand implements Callable<Integer> {
  private static final String JAVA = ".java";
  private static final String PYTHON = ".py";

  /** Classes that the program uses. */
  private static final Set<String> TAKEN =
      Set.of(
          "Arrays",
          "BiFunction",
          "Function",
          "HashMap",
          "IllegalArgumentException",
          "IntBinaryOperator",
          "Integer",
          "Locale",
          "Map",
          "Math",
          "Object",
          "String",
          "System");

  @Parameters(paramLabel = "RUN", description = "The folder of a finished training run.")
  private Path run;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "The file to write: Name.java or name.py (default: Java is printed).")
  private Path out;

  @Option(names = "--whole", description = "Leave nothing out.")
  private boolean whole;

  @Mixin private OverwriteOption overwrite;

  @Override
  public Integer call() throws Exception {
    String name = name();
    if (out != null) {
      OutputFile.check(out, List.of(run));
      if (Files.exists(out) && !overwrite.isSet()) {
        throw new CommandException(out + " exists: choose another file, or give --overwrite");
      }
    }
    DiscreteProgram program = ProgramJob.program(run, name, !whole);
    boolean python = out != null && out.toString().endsWith(PYTHON);
    String text = python ? PythonWriter.write(program) : JavaWriter.write(program);
    if (out == null) {
      System.out.print(text);
    } else {
      AtomicFile.write(out, text.getBytes(StandardCharsets.UTF_8));
    }
    return 0;
  }

  /** The name of the class, which is that of a file of Java. */
  private String name() {
    if (out == null) {
      return "Program";
    }
    String file = out.getFileName().toString();
    if (file.endsWith(PYTHON)) {
      return "Program";
    }
    String name = file.endsWith(JAVA) ? file.substring(0, file.length() - JAVA.length()) : "";
    if (!name.matches("[A-Z][A-Za-z0-9]*") || TAKEN.contains(name)) {
      throw new CommandException(
          "--out is "
              + out
              + ": expected name.py, or a file like Sort.java, whose name is that of its class: a"
              + " capital letter, then letters and digits, and none of "
              + String.join(", ", new TreeSet<>(TAKEN)));
    }
    return name;
  }
}
