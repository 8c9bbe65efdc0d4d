interface UserLimits {
  readonly open_files?: { readonly soft: number | string };
}

/** How many file descriptors this process may open, or `null` if that is not known or not limited. */
export function fileDescriptorLimit(): number | null {
  const report = process.report.getReport() as { readonly userLimits?: UserLimits };
  const soft = Number(report.userLimits?.open_files?.soft);
  return Number.isSafeInteger(soft) && soft > 0 ? soft : null;
}
