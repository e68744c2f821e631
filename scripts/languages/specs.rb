# Runs files of ruby/spec by mspec, except the examples named in the file "excluded", and prints a line for
# each example: how it ended, its description, and what is to be said, in base 64.
Dir.chdir "/tmp"
$LOAD_PATH.unshift "/spec/mspec/lib"
require "mspec"
require "mspec/commands/mspec-run"

class Lines
  def say(how, name, text = "")
    STDOUT.write "\n@@ #{how} #{[name].pack("m0")} #{[text].pack("m0")}\n"
    STDOUT.flush
  end

  def before(state)
    @skips = MSpec.skips.size
    @failed = false
    @running = state.description
    say "begin", @running
  end

  def exception(state)
    return if @running && @failed # and now what follows each example fails too
    @failed = true
    say "fail", @running || state.description.tr("\n", " "), "#{state.message}\n#{state.backtrace}"
  end

  def after(state)
    if MSpec.skips.size > @skips
      say "skip", state.description, MSpec.skips.last.first.message
    elsif !@failed
      say "pass", state.description
    end
    say "done", @running
    @running = nil
  end

  def finish
    say "end", ""
  end
end

# What the specs prepare has links to absolute paths, which there are not in WASI: they are made relative;
# and permissions, which there are not at all
class << File
  alias chmod_as_told chmod

  def chmod(*words)
    chmod_as_told(*words)
  rescue Errno::ENOSYS
    raise unless caller_locations(0, 4).any? { |place| place.path.include?("/fixtures/") }
  end

  alias link_as_told symlink

  def symlink(*words)
    target, link = words.map { |word| word.respond_to?(:to_path) ? word.to_path : word }
    return link_as_told(*words) unless words.size == 2 && String === target && String === link &&
      target.start_with?("/tmp/")
    from = dirname(expand_path(link)).split("/")
    to = target.split("/")
    to.shift && from.shift while !to.empty? && to.first == from.first
    link_as_told([*[".."] * from.size, *to].join("/"), link)
  end
end

class MSpecRun
  def custom_register
    lines = Lines.new
    %i[before exception after finish].each { |action| MSpec.register action, lines }
    excluded = File.readlines("/tmp/excluded", chomp: true).map { |line| line.unpack1("m") }
    excluded.each { |name| MSpec.register :exclude, name.force_encoding("UTF-8") }
  end
end

ARGV.unshift "-B", "/spec/ruby/default.mspec"
class MSpecScript
  set :formatter, false
end
MSpecRun.main
