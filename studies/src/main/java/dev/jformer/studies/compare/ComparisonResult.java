package dev.jformer.studies.compare;

import dev.jformer.studies.evidence.Evidence;
import java.util.List;

/**
 * The result of a comparison.
 *
 * @param choice the recommended variant, with the reason
 * @param results of all variants, the base first
 * @param evidence the report
 */
public record ComparisonResult(Choice choice, List<Result> results, Evidence evidence) {}
