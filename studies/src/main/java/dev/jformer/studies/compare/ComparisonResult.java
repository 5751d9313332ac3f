package dev.jformer.studies.compare;

import dev.jformer.studies.evidence.Evidence;
import java.util.List;

/**
 * What a comparison found.
 *
 * @param choice the variant to take, and why
 * @param results of all variants, the base first
 * @param evidence the report
 */
public record ComparisonResult(Choice choice, List<Result> results, Evidence evidence) {}
