package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.compress.Compression;
import dev.jformer.config.Configs;
import dev.jformer.run.Recipe;
import dev.jformer.studies.catalogue.Catalogue;
import dev.jformer.studies.catalogue.Paper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests of the guide and README: commands parse, code compiles, links lead to files. */
class GuideTest {
  private static final Path DOCS = Path.of("../docs");
  private static final Path README = Path.of("../README.md");
  private static final Pattern BLOCK = Pattern.compile("(?ms)^```(\\w*)\n(.*?)^```$");
  private static final Pattern WORD = Pattern.compile("(?:[^\\s']|'[^']*')+");
  private static final Pattern LINK = Pattern.compile("\\]\\(([^)#\\s]+)(#[^)]*)?\\)");

  private static List<Path> pages(String folder) throws IOException {
    try (Stream<Path> files = Files.list(DOCS.resolve(folder))) {
      return files.filter(file -> file.toString().endsWith(".md")).sorted().toList();
    }
  }

  /** The blocks of code of one language in the guide. */
  private static List<String> blocks(String language) throws IOException {
    List<String> blocks = new ArrayList<>();
    for (Path page : pages("guide")) {
      blocks.addAll(blocks(language, page));
    }
    assertFalse(blocks.isEmpty(), "blocks of " + language);
    return blocks;
  }

  private static List<String> blocks(String language, Path page) throws IOException {
    return BLOCK
        .matcher(Files.readString(page))
        .results()
        .filter(block -> block.group(1).equals(language))
        .map(block -> block.group(2))
        .toList();
  }

  private static List<String> words(String command) {
    return WORD.matcher(command).results().map(MatchResult::group).map(GuideTest::bare).toList();
  }

  private static String bare(String word) {
    return word.replace("'", "");
  }

  private static void check(String command) {
    List<String> words = words(command);
    assertTrue(words.get(0).equals("jformer") || words.get(0).equals("./jformer"), command);
    Commands.line().parseArgs(words.subList(1, words.size()).toArray(String[]::new));
    String recipe = "java";
    Map<String, String> fields = new LinkedHashMap<>();
    for (int i = 2; i + 1 < words.size(); i++) {
      String value = words.get(i + 1);
      switch (words.get(i)) {
        case "--task" ->
            recipe =
                words.get(1).equals("train")
                    ? TrainTask.named(value)
                        .recipe(null, words.contains("--data") ? Path.of("file") : null)
                    : value;
        case "--recipe", "--base" -> recipe = value;
        case "--adapter" -> fields.put("adapter", value);
        case "--teacher" -> fields.put("objective", "distillation");
        case "--set" -> fields.put(value.replaceAll("=.*", ""), value.replaceAll("^[^=]*=", ""));
        default -> {}
      }
    }
    boolean ours = Recipe.names().contains(recipe) && !words.contains("--plugins");
    if (ours && words.get(1).equals("train")) {
      Recipes.load(recipe, fields);
    }
    int with = words.indexOf("--with");
    if (words.get(1).equals("compress")) {
      checkMethods(words.get(with + 1));
    }
  }

  private static void checkMethods(String with) {
    if (with.startsWith("{")) {
      Configs.parse(with, Compression.class);
      return;
    }
    for (String name : with.split(",", -1)) {
      assertTrue(Configs.parts(Compression.class).containsKey(name), name);
    }
  }

  @Test
  void commandsAreUnderstood() throws IOException {
    int commands = 0;
    for (String block : blocks("")) {
      for (String line : block.lines().toList()) {
        check(line);
        commands++;
      }
    }
    assertTrue(commands > 30, "" + commands);
  }

  @Test
  void commandsOfTheCatalogueAreUnderstood() {
    for (Paper paper : Catalogue.papers()) {
      if (paper.status() == Paper.Status.IMPLEMENTED) {
        check(paper.technique().command());
        paper.technique().compress().forEach(GuideTest::checkMethods);
      }
    }
  }

  @Test
  void recipesCanBeRead() throws IOException {
    for (String block : blocks("json")) {
      Configs.parse(block, Recipe.class);
    }
  }

  @Test
  void codeCompiles(@TempDir Path folder) throws IOException {
    List<String> options = new ArrayList<>(List.of("-proc:none", "-d", folder.toString()));
    options.addAll(List.of("-cp", System.getProperty("java.class.path")));
    List<String> blocks = new ArrayList<>(blocks("java"));
    blocks.addAll(blocks("java", README));
    for (String block : blocks) {
      Matcher name = Pattern.compile("class (\\w+)").matcher(block);
      assertTrue(name.find(), block);
      Path file = folder.resolve(name.group(1) + ".java");
      Files.writeString(file, block);
      options.add(file.toString());
    }
    ByteArrayOutputStream errors = new ByteArrayOutputStream();
    int code =
        ToolProvider.getSystemJavaCompiler()
            .run(null, null, errors, options.toArray(String[]::new));
    assertEquals(0, code, errors.toString(StandardCharsets.UTF_8));
  }

  @Test
  void linksLeadToFiles() throws IOException {
    List<String> broken = new ArrayList<>();
    List<Path> all = new ArrayList<>(List.of(README));
    for (String folder : List.of("guide", "techniques")) {
      all.addAll(pages(folder));
    }
    for (Path page : all) {
      LINK.matcher(Files.readString(page))
          .results()
          .map(link -> link.group(1))
          .filter(target -> !target.startsWith("http"))
          .filter(target -> !Files.exists(page.resolveSibling(target)))
          .forEach(target -> broken.add(page.getFileName() + ": " + target));
    }
    assertEquals(List.of(), broken);
  }
}
