package dev.jformer.studies.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.config.Part;
import dev.jformer.ffn.GatedMlp;
import dev.jformer.model.CausalLm;
import dev.jformer.model.forecast.ITransformer;
import dev.jformer.model.vision.VisionTransformer;
import dev.jformer.position.Alibi;
import dev.jformer.position.Rope;
import dev.jformer.run.Recipe;
import dev.jformer.studies.catalogue.Catalogue;
import dev.jformer.studies.catalogue.Paper;
import java.util.List;
import org.junit.jupiter.api.Test;

class VariantsTest {
  private static final Recipe BASE =
      Configs.parse(
          "{\"model\":{\"model\":\"causal-lm\",\"width\":96,\"mixer\":{\"heads\":6}}}",
          Recipe.class);

  private static CausalLm.Config model(String technique) {
    List<Variant> variants = Variants.of(BASE, technique);
    assertEquals(1, variants.size());
    return (CausalLm.Config) variants.get(0).recipe().model();
  }

  @Test
  void exchangesOnePartAndKeepsTheRest() {
    CausalLm.Config alibi = model("alibi");
    assertInstanceOf(Alibi.Config.class, alibi.position());
    assertEquals(96, alibi.width());
    assertEquals(6, alibi.mixer().heads());
    CausalLm.Config base = (CausalLm.Config) BASE.model();
    assertEquals(base.ffn(), alibi.ffn());
  }

  @Test
  void joinsTechniques() {
    CausalLm.Config both = model("rope+gated-mlp");
    assertInstanceOf(Rope.Config.class, both.position());
    assertInstanceOf(GatedMlp.Config.class, both.ffn());
    assertEquals("rope+gated-mlp", Variants.of(BASE, "rope+gated-mlp").get(0).name());
  }

  @Test
  void headsAreTakenOver() {
    for (String mixer : Configs.parts(dev.jformer.mixer.TokenMixer.Config.class).keySet()) {
      var config = model("mixer=" + mixer).mixer();
      boolean hasHeads = Configs.write(config).has("heads");
      assertEquals(hasHeads ? 6 : 1, config.heads(), mixer);
    }
  }

  @Test
  void everyUseInTheCatalogueFits() {
    for (Paper paper : Catalogue.papers()) {
      if (!paper.use().isEmpty()) {
        assertTrue(paper.status() != Paper.Status.PLANNED, paper.slug());
        for (Variant variant : Variants.of(BASE, paper.slug())) {
          assertTrue(!variant.recipe().equals(BASE), variant.name() + " changes nothing");
        }
      }
    }
  }

  /** On text, a paper of several mixers or models stands for those that text can have. */
  @Test
  void papersLeaveOutVariantsOfOtherData() {
    for (String slug : List.of("faster-lighter-survey", "metaformer")) {
      for (Variant variant : Variants.of(BASE, slug)) {
        assertInstanceOf(CausalLm.Config.class, variant.recipe().model());
        assertTrue(!variant.name().equals("linformer"), "Linformer cannot be causal");
      }
    }
  }

  @Test
  void compressesWhatIsTrained() {
    Variant plain = Variants.of(BASE, "weight-int8").get(0);
    assertEquals(BASE, plain.recipe());
    assertEquals(Variant.BASE, plain.training());
    assertEquals(List.of("weight-int8"), types(plain));
    Variant both = Variants.of(BASE, "rope+magnitude+weight-int8").get(0);
    assertEquals("rope", both.training());
    assertEquals(List.of("magnitude", "weight-int8"), types(both));
    assertInstanceOf(Rope.Config.class, ((CausalLm.Config) both.recipe().model()).position());
    assertEquals(
        List.of("ifm", "magnitude", "weight-int8"),
        types(Variants.of(BASE, "inference-survey").get(0)));
  }

  private static List<String> types(Variant variant) {
    return variant.compressions().stream().map(Part::type).toList();
  }

  @Test
  void takesRecipesOfAllKinds() {
    Recipe images = Recipe.named("images");
    Variant pooling = Variants.of(images, "pooling").get(0);
    assertEquals("pooling", ((VisionTransformer.Config) pooling.recipe().model()).mixer().type());
    Recipe forecast = Recipe.named("forecast");
    Variant flow = Variants.of(forecast, "flow").get(0);
    assertEquals("flow", ((ITransformer.Config) flow.recipe().model()).mixer().type());
    assertEquals(
        3, Variants.all(images, List.of("flow", "weight-int8", "flow")).size(), "each once");
  }

  @Test
  void saysWhatIsWrong() {
    fails("rop", "did you mean 'rope'");
    fails("none", "position=none");
    fails("none", "norm=none");
    Catalogue.papers().stream()
        .filter(paper -> paper.status() == Paper.Status.PLANNED)
        .forEach(paper -> fails(paper.slug(), "planned"));
    fails("dsformer", "projection=dsformer or compression=dsformer");
    fails("weight-int8+rope", "changes the training after a compression");
    fails("", "no technique ''");
    fails("mixer=rope", "no technique");
  }

  private static void fails(String technique, String part) {
    var error = assertThrows(IllegalArgumentException.class, () -> Variants.of(BASE, technique));
    assertTrue(error.getMessage().contains(part), error.getMessage());
  }
}
